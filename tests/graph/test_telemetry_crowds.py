"""Telemetry answers also while a client holds all the connections that it can get."""

from __future__ import annotations

import io
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph, Telemetry
from steady_mp.events import TelemetryStarted
from tests.support.scrape import get, linger
from tests.support.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(60)

CROWD = 500
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def served() -> Iterator[tuple[str, tuple[str, int], psutil.Process]]:
    """Run a graph, and tell its page, the address of that and the process that serves it."""
    watch, graph = Watch(), Graph("visited", log_level="warning")
    graph.actor("linger", linger)
    with graph.start(on_event=watch, output=io.StringIO(), telemetry=Telemetry(port=0)) as run:
        url = watch.wait_for(TelemetryStarted).url
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        yield url, (host, int(port)), psutil.Process(run.telemetry_pid)
        run.request_shutdown()
        assert run.block_until_stopped(20).exit_code is ExitCode.DRAINED


def test_connections_that_ask_nothing_keep_nobody_out() -> None:
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    openings = [b"", b"GET /metrics HT", REQUEST[:-2], post]
    with served() as (url, address, process), ExitStack() as crowd:
        assert get(f"{url}metrics")[0] == get(url)[0] == 200
        before = process.num_fds()
        for index in range(CROWD):
            connection = crowd.enter_context(socket.create_connection(address, timeout=10))
            connection.sendall(openings[index % len(openings)])
        assert get(f"{url}metrics")[0] == get(url)[0] == 200
        assert process.num_fds() - before < CROWD / 2


def test_requests_in_a_row_get_one_answer() -> None:
    with served() as (_, address, _), socket.create_connection(address, timeout=10) as connection:
        connection.sendall(2 * REQUEST)
        with connection.makefile("rb") as answers:
            answer = answers.read()
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == answer.count(b"Connection: close\r\n") == 1
