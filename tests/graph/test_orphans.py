"""No process of a run outlives it, whoever is killed; the next start sweeps what a killed supervisor left."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorStarted, ForkServerDied
from steady_mp.memory import layout
from steady_mp.memory.rundir import sweep
from steady_mp.testing.scripted import perform
from tests.support import lives, pipeline
from tests.support.gates import Gate, Lines, feed
from tests.support.hosts import HOST, Process, all_gone
from tests.support.runs import complete
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Run
    from steady_mp.memory.control import Journal
    from steady_mp.supervisor.deaths import Death
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

#: Seconds that anything of a run may live on after its supervisor was killed.
GRACE = 2.0

READY = {
    "flow": ["started source", "started middle", "started sink"],
    "busy": ["started source", "started middle", "started sink", "spinning busy"],
    "family": ["started source", "started middle", "started sink", "has children"],
    "slow": ["importing"],
}


def kill_supervisor(host: Process) -> list[psutil.Process]:
    """SIGKILL it and return what it leaves behind; the test is over quickly or fails."""
    family = host.family()
    assert family
    host.send(signal.SIGKILL)
    return family


@pytest.mark.parametrize("scene", READY)
def test_kill_the_supervisor(scene: str, run_root: Path) -> None:
    with Process(*HOST, scene) as host:
        for line in READY[scene]:
            host.wait_line(line)
        family = kill_supervisor(host)
        assert all_gone(family, GRACE), [process for process in family if process.is_running()]
    assert len(list(run_root.iterdir())) == 1
    complete(calm())
    assert not list(run_root.iterdir())  # swept by that start


def test_kill_a_supervisor_with_a_fork(run_root: Path) -> None:
    """A fork of the supervisor keeps its pipes and sockets open, so nobody sees them close."""
    with Process(*HOST, "family", "forks") as host:
        fork = psutil.Process(int(host.wait_line("forked").split()[1]))
        host.wait_line("has children")
        try:
            family = [process for process in kill_supervisor(host) if process != fork]
            assert all_gone(family, GRACE), [process for process in family if process.is_running()]
        finally:
            fork.kill()
    assert len(sweep(run_root)) == 1


def test_kill_the_supervisor_right_at_its_start(run_root: Path) -> None:
    with Process(*HOST, "flow") as host:
        assert eventually(lambda: bool(host.family()), 20.0)
        assert all_gone(kill_supervisor(host), GRACE)
    assert len(sweep(run_root)) == 1


def calm(total: int = 100) -> Graph:
    graph = Graph("calm", log_level="error")
    numbers_tx, numbers_rx = graph.channel(8)
    graph.actor("source", pipeline.source, numbers_tx, total, 1, graph.state())
    graph.actor("sink", pipeline.sink, numbers_rx, 1, graph.state())
    return graph


def test_what_a_durable_run_has_left_is_killed_by_whatever_name_it_is_resumed(tmp_path: Path) -> None:
    (real := tmp_path / "real").mkdir()
    (tmp_path / "name").symlink_to(real, target_is_directory=True)
    with calm().start(output=Lines(), durable=tmp_path / "name") as run:
        mark = str(run.directory)  # in the environment of its processes, and of what they start
    left = subprocess.Popen(["sleep", "60"], env={**os.environ, "STEADY_MP_RUN": mark})  # noqa: S607
    try:
        with calm().start(output=Lines(), resume=real):
            assert left.wait(10) == -signal.SIGKILL
    finally:
        left.kill()
        left.wait()


def test_the_sweep_spares_what_lives(run_root: Path) -> None:
    with Process(*HOST, "flow") as host:
        host.wait_line("started sink")
        (directory,) = run_root.iterdir()
        complete(calm())
        assert list(run_root.iterdir()) == [directory]
        host.wait_hearing()
        host.send(signal.SIGTERM)
        assert host.wait() == ExitCode.DRAINED


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_kill_the_fork_server(number: int) -> None:
    """All actors go down with it, with all that they started, and go on from their last commits."""
    graph = calm(1 << 40)
    graph.actor("parent", perform, lives.PARENT)
    gone: list[psutil.Process] = []

    def kill_twice(run: Run, watch: Watch) -> None:
        for life in (1, 2):
            for name in ("source", "sink", "parent"):
                watch.wait_for(ActorStarted, actor=name, generation=life)
            server = psutil.Process(run._supervisor._servers.pid)
            parent = psutil.Process(run.pid("parent") or 0)
            assert eventually(lambda parent=parent: bool(parent.children()))  # type: ignore[misc]
            gone.extend(server.children(recursive=True))
            os.kill(server.pid, number)
            watch.wait_for(ForkServerDied, cause=signal.Signals(number).name)
        watch.wait_for(ActorStarted, actor="sink", generation=3)
        assert all_gone(gone, GRACE), [process for process in gone if process.is_running()]
        run.request_shutdown()

    outcome = complete(graph, meanwhile=kill_twice)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("sink").state["seen"] == list(range(outcome.actor("source").state["following"]))
    assert outcome.actor("source").deaths == [f"fork server: {signal.Signals(number).name}"] * 2
    assert not outcome.rescues


def test_a_reborn_actor_hears_of_what_another_one_had_committed_before_the_fork_server_died(tmp_path: Path) -> None:
    """The sender dies between its commit and showing it, and the receiver sleeps again before that is mended."""
    graph = Graph("late", log_level="error")
    tx, rx = graph.channel(8)
    graph.actor("sink", lives.tally, rx, graph.state())
    with Gate(tmp_path / "gate") as gate:
        graph.actor("source", feed, gate.path, tx)
        graph.faults["source"] = [{"point": "commit:epoch", "hit": 1, "generations": [1]}]

        def kill(run: Run, watch: Watch) -> None:
            supervisor = run._supervisor
            sink, source = supervisor.seats
            header = source._channels[0][1]
            for name in run.actors:
                watch.wait_for(ActorStarted, actor=name)

            def asleep(generation: int) -> bool:
                words = sink.control.words
                return words[layout.GENERATION] == generation and words[layout.PHASE] == layout.PHASE_WAITING

            go_on = supervisor._go_on_after

            def late(death: Death, journal: Journal, cause: str) -> None:
                assert death.seat is sink or eventually(lambda: asleep(2))
                go_on(death, journal, cause)

            supervisor._go_on_after = late  # type: ignore[method-assign]
            assert eventually(lambda: asleep(1))
            server, sender = psutil.Process(supervisor._servers.pid), psutil.Process(run.pid("source") or 0)
            server.suspend()
            gate.give(b"\7")
            assert eventually(lambda: sender.status() == psutil.STATUS_ZOMBIE)
            server.kill()
            assert eventually(lambda: header[layout.HEAD] == 1)
            gate.give(b"\0")

        outcome = complete(graph, meanwhile=kill)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    assert outcome.actor("sink").state["total"] == 7
    assert not outcome.rescues


def dead_of(groups: list[int]) -> list[psutil.Process]:
    """Return the dead members of these process groups that have come to this process and that nobody has buried."""
    return [child for child in psutil.Process().children() if os.getpgid(child.pid) in groups]


def test_who_adopts_orphans_buries_the_actors_of_a_fork_server_that_was_killed() -> None:
    """As process 1 does, and this one: what an actor has started comes too. Children of others are theirs."""
    graph = calm(1 << 40)
    graph.actor("parent", perform, lives.PARENT)
    groups: list[int] = []
    with subprocess.Popen("true") as mine:  # noqa: S607

        def kill(run: Run, watch: Watch) -> None:
            watch.wait_for(ActorStarted, actor="parent")
            parent = psutil.Process(run.pid("parent") or 0)
            assert eventually(lambda: bool(parent.children()))
            groups.extend(run.pid(name) or 0 for name in run.actors)
            os.kill(run._supervisor._servers.pid or 0, signal.SIGKILL)
            watch.wait_for(ActorStarted, actor="parent", generation=2)
            assert not dead_of(groups)
            run.request_shutdown()

        assert complete(graph, meanwhile=kill).report.exit_code is ExitCode.DRAINED
        assert psutil.Process(mine.pid).status() == psutil.STATUS_ZOMBIE
    assert len(groups) == 3


def test_a_stopped_fork_server_does_not_outlive_the_run() -> None:
    graph = calm(1 << 40)
    graph.actor("parent", perform, lives.PARENT)
    family: list[psutil.Process] = []
    groups: list[int] = []

    def stop(run: Run, watch: Watch) -> None:
        watch.wait_for(ActorStarted, actor="parent")
        parent = psutil.Process(run.pid("parent") or 0)
        assert eventually(lambda: bool(parent.children()))
        server = psutil.Process(run._supervisor._servers.pid)
        family.extend(server.children(recursive=True))
        groups.extend(run.pid(name) or 0 for name in run.actors)
        server.suspend()
        run.stop_now()

    assert complete(graph, meanwhile=stop).report.exit_code is ExitCode.INTERRUPTED
    assert all_gone(family, GRACE)
    assert not dead_of(groups)
