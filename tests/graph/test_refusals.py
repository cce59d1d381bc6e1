"""What the system refuses for a while, or tells only half, ends no run."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import psutil
import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorStarted, ForkServerDied, ForkServerGivenUp, ProcessDelayed
from steady_mp.memory.snapshots import SnapshotSlots
from tests.support import forking_import, pipeline
from tests.support.runs import complete
from tests.support.spares import server_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)


def calm(*, spare: bool = True) -> Graph:
    graph = Graph("calm", log_level="error", spare=spare)
    numbers_tx, numbers_rx = graph.channel(8)
    graph.actor("source", pipeline.source, numbers_tx, 1 << 40, 1, graph.state())
    graph.actor("sink", pipeline.sink, numbers_rx, 1, graph.state())
    return graph


def all_began(watch: Watch, life: int) -> None:
    for name in ("source", "sink"):
        watch.wait_for(ActorStarted, actor=name, generation=life)


@pytest.mark.parametrize(("refusals", "end"), [(2, ExitCode.DRAINED), (9, ExitCode.GAVE_UP)])
def test_a_fork_server_that_cant_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, refusals: int, end: ExitCode
) -> None:
    monkeypatch.setattr("steady_mp.supervisor.servers.PAUSE", 0.05)

    def kill(run: Run, watch: Watch) -> None:
        all_began(watch, 1)
        refused: list[object] = []

        class Refusing(subprocess.Popen[bytes]):
            def __init__(self, *rest: object, **options: object) -> None:
                if len(refused) < refusals:
                    refused.append(rest)
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                super().__init__(*rest, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(subprocess, "Popen", Refusing)
        server_of(run).kill()
        watch.wait_for(ForkServerDied)
        watch.wait_for(ProcessDelayed, process="the fork server", reason=os.strerror(errno.EAGAIN))
        if end is ExitCode.DRAINED:
            all_began(watch, 2)
            run.request_shutdown()

    outcome = complete(calm(), meanwhile=kill)
    assert outcome.report.exit_code is end
    if end is ExitCode.GAVE_UP:
        assert outcome.report.why[0] == f"the fork server can't run: {os.strerror(errno.EAGAIN)}"
        told = [event.text for event in outcome.watch.all_of(ForkServerGivenUp)]
        assert told == [f"the fork server can't run ({os.strerror(errno.EAGAIN)}, 4 times in a row); the graph stops"]


def test_a_life_without_a_descriptor_for_its_output_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steady_mp.supervisor.servers.PAUSE", 0.05)
    real = os.pipe
    refused: list[int] = []

    def refuse() -> tuple[int, int]:
        if len(refused) < 3:
            refused.append(1)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real()

    def kill(run: Run, watch: Watch) -> None:
        all_began(watch, 1)
        monkeypatch.setattr(os, "pipe", refuse)
        run.kill("sink")
        watch.wait_for(ActorStarted, actor="sink", generation=2)
        run.request_shutdown()
        delays = [event.text for event in watch.all_of(ProcessDelayed)]
        assert delays == ["no process for sink: Too many open files; the system is asked again"]

    assert complete(calm(), meanwhile=kill).report.exit_code is ExitCode.DRAINED
    assert len(refused) == 3


def test_who_is_left_of_a_fork_server_is_looked_for_until_the_system_lets_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody of it may live on beside the next lives, so no descriptor for the look is no reason to do without."""
    monkeypatch.setattr("steady_mp.supervisor.launcher.PAUSE", 0.01)
    real = psutil.process_iter
    refused: list[int] = []

    def refuse() -> Iterator[psutil.Process]:
        if len(refused) < 3:
            refused.append(1)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real()

    def kill(run: Run, watch: Watch) -> None:
        all_began(watch, 1)
        monkeypatch.setattr(psutil, "process_iter", refuse)
        server_of(run).kill()
        all_began(watch, 2)
        run.request_shutdown()

    assert complete(calm(), meanwhile=kill).report.exit_code is ExitCode.DRAINED
    assert len(refused) == 3


def test_a_state_that_can_t_be_opened_for_the_report_is_said_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def stop(run: Run, watch: Watch) -> None:
        all_began(watch, 1)
        monkeypatch.setattr(SnapshotSlots, "read", refuse)
        run.request_shutdown()

    report = complete(calm(), meanwhile=stop).report
    assert report.exit_code is ExitCode.DRAINED
    assert report.actors[0].state == "unreadable: Too many open files; raise the limit (ulimit -n)"


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process has a descriptor")
def test_a_fork_server_that_has_forked_while_it_imported_is_seen_to_die() -> None:
    """Its child holds the connection open, which so never ends."""
    graph = calm()
    graph.actor("forker", forking_import.behave)

    def kill(run: Run, watch: Watch) -> None:
        all_began(watch, 1)
        server_of(run).kill()
        watch.wait_for(ForkServerDied, cause="SIGKILL")
        all_began(watch, 2)
        run.request_shutdown()

    assert complete(graph, meanwhile=kill).report.exit_code is ExitCode.DRAINED


def test_a_program_that_has_blocked_its_signals_hears_of_deaths() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        run = calm(spare=False).start()  # with one, the fork server would look around without being woken
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with run:
        run.request_shutdown()
        assert run.block_until_stopped(20).exit_code is ExitCode.DRAINED
