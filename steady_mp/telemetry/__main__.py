"""The telemetry process: ``python -m steady_mp.telemetry RUN_DIRECTORY``.

Started by the supervisor it is handed the listening socket (``--fd``), tells on its standard output what has
happened, one JSON object a line, and ends when its standard input does: that is when the supervisor is gone.
By hand it opens a socket itself, and ends with Ctrl-C, or with the run if that was not over before.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from waitress.server import create_server

from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.memory.status import UNREADABLE
from steady_mp.serving import DEFAULT_HOST, TOKEN_VARIABLE, Telemetry, listen, url_of
from steady_mp.telemetry.sampler import Sampler
from steady_mp.telemetry.server import make_app
from steady_mp.telemetry.service import Service
from steady_mp.telemetry.visitor import MOST, Visitor

if TYPE_CHECKING:
    from waitress.server import BaseWSGIServer

    from steady_mp.events import Event

#: Seconds in which it still answers, as not live, after the supervisor was killed.
_LINGER: Final = 1.0
#: Milliseconds between two looks at whether the supervisor's process is there.
_LOOK: Final = 1000
_THREADS: Final = 4
#: How far it gives way, once everything is loaded, to the actors whose run it shows (nice).
_GIVES_WAY: Final = 10
_MOST_HEADER: Final = 1 << 14
_MOST_BODY: Final = 1 << 10


def _tell(event: Event) -> None:
    """Tell the supervisor; that it is gone is seen elsewhere."""
    told = {"event": type(event).__name__, **dataclasses.asdict(event)}
    try:
        print(json.dumps(told), flush=True)  # noqa: T201 - the protocol
    except OSError:
        return


def _end_with_run(service: Service, *, child: bool) -> None:
    """Wait for the supervisor's end, then let the page say that what it shows is old.

    To its `child` standard input ends with it. A fork of it may hold the pipe open; then its process says it.
    """
    poll = select.poll()
    if child:
        poll.register(sys.stdin.fileno(), select.POLLIN)
    while not poll.poll(_LOOK) and service.is_supervised:
        pass
    time.sleep(_LINGER)
    os._exit(0)


def main() -> int:
    """Serve one run until its supervisor is gone; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m steady_mp.telemetry", description="Serve one run to people.")
    parser.add_argument("directory", type=Path, help="the run directory")
    parser.add_argument("--host", default=DEFAULT_HOST)
    parser.add_argument("--port", type=int, default=None)
    parser.add_argument("--fd", type=int, default=None, help="a listening socket to serve on")
    options = parser.parse_args()
    token = os.environ.pop(TOKEN_VARIABLE, "") or None
    logging.getLogger("waitress").setLevel(logging.ERROR)
    try:
        sampler = Sampler(options.directory)
        sampler.sample()  # files that are cut off show here, before anybody hears where they are served
    except UNREADABLE as error:
        return _refuse(f"{options.directory} can't be read as a run: {error}")
    try:
        if options.fd is None:
            settings = Telemetry(host=options.host, port=options.port, token=token)
            listening, _ = listen(settings)
            print(url_of(listening, options.host), file=sys.stderr)  # noqa: T201 - for whoever started it by hand
        else:
            listening = socket.socket(fileno=options.fd)
    except (ConfigurationError, OSError, ValueError) as error:
        return _refuse(str(error))
    service = Service(sampler, _tell)
    return _serve(service, listening, options.host, token, supervised=options.fd is not None)


def _refuse(message: str) -> int:
    print("steady-mp telemetry:", " ".join(message.split()), file=sys.stderr)  # noqa: T201
    return ExitCode.BAD_CONFIGURATION


def _serve(service: Service, listening: socket.socket, host: str, token: str | None, *, supervised: bool) -> int:
    os.nice(_GIVES_WAY)  # before there are threads: each has its own
    if supervised:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the supervisor decides
    service.start()
    if supervised or service.is_supervised:  # by hand, what is over can be looked at for as long as one likes
        threading.Thread(target=_end_with_run, args=(service,), kwargs={"child": supervised}, daemon=True).start()
    made = create_server(
        make_app(service, host=host, token=token),
        sockets=[listening],
        threads=_THREADS,
        connection_limit=2 * MOST,  # of which all wait for an answer
        channel_timeout=30,
        max_request_header_size=_MOST_HEADER,
        max_request_body_size=_MOST_BODY,
        ident="",
        clear_untrusted_proxy_headers=True,
    )
    server = cast("BaseWSGIServer", made)  # of one socket
    server.channel_class = Visitor
    gc.freeze()
    if supervised:
        print(json.dumps({"event": "ready"}), flush=True)  # noqa: T201 - the protocol
    try:
        server.run()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    finally:
        service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
