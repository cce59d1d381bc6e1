"""Where telemetry is served: the settings of `Graph.start(telemetry=...)`, and the socket that it listens on.

The supervisor opens the socket and hands it down: a port that was asked for is refused before anything has
started, and a telemetry process that died comes back at the address that people have open.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from dataclasses import dataclass
from typing import Final

from steady_mp.errors import ConfigurationError

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 9900
TOKEN_VARIABLE: Final = "STEADY_MP_TOKEN"  # noqa: S105 - the name of a variable
#: Ports that are tried when none was asked for.
_TRIES: Final = 100
_BACKLOG: Final = 64
_LEAST_TOKEN: Final = 8
_MOST_PORT: Final = 65535


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach what listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Where the dashboard and the metrics of a run are served.

    Without a `port` it is 9900, or the next one that is free; a port that is given is never changed.
    On any other `host` than the loopback a `token` is required of everybody who reads.

    Raises ConfigurationError for what can't be a host, a port or a token, and for such a host without a token.
    """

    host: str = DEFAULT_HOST
    port: int | None = None
    token: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would be open to everybody, or can't be opened."""
        host: object = self.host
        port: object = self.port
        token: object = self.token
        if not isinstance(host, str):
            message = f"host {host!r}: must be a name or an address"
            raise ConfigurationError(message)
        if port is not None and (isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= _MOST_PORT):
            message = f"port {port!r}: must be from 0 to 65535"
            raise ConfigurationError(message)
        if token is not None and not (
            isinstance(token, str) and len(token) >= _LEAST_TOKEN and token.isascii() and token.isprintable()
        ):
            message = f"token: must have at least {_LEAST_TOKEN} printable ASCII characters"
            raise ConfigurationError(message)
        if self.token is None and not is_loopback(self.host):
            message = (
                f"host {self.host!r} can be reached from other machines, and everybody there could read the run: "
                "set a token (--token, or STEADY_MP_TOKEN), or stay on 127.0.0.1"
            )
            raise ConfigurationError(message)


def listen(settings: Telemetry) -> tuple[socket.socket, str]:
    """Open the listening socket; also return what there is to say about its port.

    Raises ConfigurationError when the port that was asked for is taken, or the host is none of this machine.
    """
    wanted = DEFAULT_PORT if settings.port is None else settings.port
    last = wanted if settings.port is not None else min(_MOST_PORT, wanted + _TRIES)
    for port in range(wanted, last + 1):
        try:
            found = _bind(settings.host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            # The resolver has texts of its own, behind negative numbers.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else (error.strerror or str(error))
            message = f"{settings.host} port {port} can't be opened for telemetry: {reason}"
            raise ConfigurationError(message) from None
        except UnicodeError as error:  # what is no name at all: a part of it is empty, or too long
            message = f"{settings.host} port {port} can't be opened for telemetry: {error}"
            raise ConfigurationError(message) from None
        return found, f"port {wanted} is in use" if port != wanted and settings.port is None else ""
    if settings.port is not None:
        message = f"port {wanted} on {settings.host} is in use: take another one with --port, or leave it to steady-mp"
    else:
        message = f"no port from {wanted} to {last} on {settings.host} is free: name one with --port"
    raise ConfigurationError(message)


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(_BACKLOG)
    except BaseException:
        found.close()
        raise
    return found


def url_of(listening: socket.socket, host: str) -> str:
    """Return the address to open in a browser."""
    port = listening.getsockname()[1]
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - named, not bound
        host = socket.gethostname()
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{shown}:{port}/"
