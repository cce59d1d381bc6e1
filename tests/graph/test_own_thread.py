"""What a consumer of events may do with its run: it is called on the thread that would have to end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import RunStopped, ShutdownRequested
from tests.support import pipeline
from tests.support.gates import Lines

if TYPE_CHECKING:
    from steady_mp import Event, Run

pytestmark = pytest.mark.timeout(60)


def endless(output: Lines) -> Run:
    graph = Graph("endless", log_level="error")
    tx, rx = graph.channel(8)
    graph.actor("source", pipeline.source, tx, 1 << 40, 1, graph.state())
    graph.actor("sink", pipeline.sink, rx, 1, graph.state())
    return graph.start(output=output)


@pytest.mark.parametrize("way", ["close", "with"])
def test_it_can_close_it(way: str) -> None:
    run = endless(output := Lines())
    closed: list[str] = []

    def close(event: Event) -> None:
        if isinstance(event, ShutdownRequested):
            if way == "close":
                run.close()
            else:
                with run:
                    pass
            closed.append(way)

    run.watch(close)
    run.request_shutdown()
    assert run.block_until_stopped(30).exit_code is ExitCode.INTERRUPTED
    assert closed == [way]
    assert not output.all()


@pytest.mark.parametrize("kind", [ShutdownRequested, RunStopped])
def test_it_can_t_wait_for_it(kind: type[Event]) -> None:
    run = endless(output := Lines())

    def wait(event: Event) -> None:
        if isinstance(event, kind):
            run.block_until_stopped(30)

    run.watch(wait)
    run.request_shutdown()
    assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED
    (line,) = output.all()
    assert "failed and is dropped: SteadyError(" in line
    assert "the thread that ends graph 'endless' can't wait for that" in line
