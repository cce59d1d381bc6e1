"""Scripted actors in processes of their own: they hang, freeze, leak and live twice as they are told."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorDied, ActorStarted
from steady_mp.supervisor.messages import RestartDue
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import (
    Die,
    Freeze,
    HangAsleep,
    HangBusy,
    HangInC,
    LeakDescriptor,
    LeakMemory,
    LeakProcess,
    LiveOn,
    PassOn,
    Say,
    Send,
    Step,
    Take,
)
from tests.support import pipeline
from tests.support.gates import Gate, Lines, open_gate
from tests.support.hosts import all_gone
from tests.support.runs import complete
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Run
    from steady_mp.testing.steps import Scene
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

UNTIRING = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0)
SIZE = 64 << 20
MANY = 100
#: Of two threads only one runs Python at a time.
HAS_LOCK = getattr(sys, "_is_gil_enabled", lambda: True)()


@dataclass(frozen=True)
class WatchGate(Step):
    """A step of a test's own: a thread that says so when it gets to run behind a gate."""

    gate: str

    def play(self, scene: Scene) -> None:
        def tell() -> None:
            os.read(fd, 1)
            os.write(1, b"a thread ran\n")

        fd = open_gate(self.gate)
        os.set_blocking(fd, True)
        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        scene.leaked.append(thread)


def one(*lives: list[Step]) -> Graph:
    """Build a graph of one scripted actor."""
    graph = Graph("scripted", log_level="error")
    graph.actor("actor", perform, Script.each_life(*lives), graph.state(), restart=UNTIRING)
    return graph


def the_process(run: Run) -> psutil.Process:
    assert eventually(lambda: run.pid("actor") is not None)  # its first line may be here before the news of it
    return psutil.Process(run.pid("actor"))


def hangs(run: Run, step: Step) -> None:
    """Wait until the actor has burned time, or is asleep."""
    process = the_process(run)
    before = process.cpu_times().user
    if isinstance(step, HangAsleep):
        assert eventually(lambda: process.status() == psutil.STATUS_SLEEPING)
    else:
        assert eventually(lambda: process.cpu_times().user > before + 0.2)


@pytest.mark.parametrize(("step", "threads_run"), [(HangBusy(), True), (HangAsleep(), True), (HangInC(), not HAS_LOCK)])
def test_an_actor_that_hangs_is_ended_by_a_signal_only(step: Step, threads_run: bool, tmp_path: Path) -> None:  # noqa: FBT001
    lines = Lines()
    with Gate(tmp_path / "gate") as gate:

        def look(run: Run, watch: Watch) -> None:
            lines.wait_for("hanging")
            run.request_shutdown()
            hangs(run, step)
            gate.give()
            if threads_run:
                lines.wait_for("a thread ran")
            hangs(run, step)
            run.kill("actor", signal.SIGTERM)
            watch.wait_for(ActorDied, actor="actor", cause="SIGTERM")

        outcome = complete(one([WatchGate(gate.path), Say("hanging"), step], [LiveOn()]), meanwhile=look, output=lines)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("actor").state["lives"] == [1, 2]
    assert ("a thread ran" in outcome.log) == threads_run


def test_a_frozen_actor_goes_on_with_its_next_step_when_it_is_let() -> None:
    lines = Lines()

    def thaw(run: Run, _watch: Watch) -> None:
        lines.wait_for("before")
        process = the_process(run)
        assert eventually(lambda: process.status() == psutil.STATUS_STOPPED)
        assert "after" not in "".join(lines.all())
        process.resume()
        lines.wait_for("after")
        run.request_shutdown()

    outcome = complete(one([Say("before"), Freeze(), Say("after"), LiveOn()]), meanwhile=thaw, output=lines)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("actor").state["lives"] == [1]


def test_what_is_leaked_can_be_seen_and_goes_with_the_life() -> None:
    lines = Lines()
    leaks: list[Step] = [LeakMemory(SIZE), LeakDescriptor(MANY), LeakProcess(), LeakProcess(daemon=True)]

    def look(run: Run, watch: Watch) -> None:
        lines.wait_for("tight")
        process = the_process(run)
        resident, descriptors = process.memory_info().rss, process.num_fds()
        run.kill("actor")
        lines.wait_for("leaky")
        process = the_process(run)
        assert process.memory_info().rss - resident > 0.9 * SIZE
        assert process.num_fds() - descriptors >= MANY
        (child,) = process.children()
        run.kill("actor")
        watch.wait_for(ActorStarted, actor="actor", generation=3)
        assert all_gone([child], 10.0)  # the one that has left its group goes with the run, as after every test
        run.request_shutdown()

    graph = one([Say("tight"), LiveOn()], [*leaks, Say("leaky"), LiveOn()], [LiveOn()])
    outcome = complete(graph, meanwhile=look, output=lines)
    assert outcome.report.exit_code is ExitCode.DRAINED


def test_who_is_started_twice_says_so() -> None:
    """A supervisor that begins a life too many, while the one before goes on."""
    first: list[int] = []

    def begin_another(run: Run, watch: Watch) -> None:
        watch.wait_for(ActorStarted, actor="actor", generation=1)
        seat = run._supervisor.seats[0]
        assert eventually(lambda: seat.control.epoch > 0)  # its diary says so: it has claimed its life
        assert seat.pid is not None
        assert seat._pidfd is not None
        first.append(seat.pid)
        os.close(seat._pidfd)  # it is about to be forgotten, or closed with the life too many, if that dies too soon
        seat._pidfd = None
        run._supervisor.post(RestartDue(seat.index))
        watch.wait_for(ActorDied, actor="actor", generation=2)
        assert psutil.Process(first[0]).status() != psutil.STATUS_ZOMBIE
        os.kill(first[0], signal.SIGKILL)
        run.request_shutdown()

    outcome = complete(one([LiveOn()]), meanwhile=begin_another)
    (process,) = first
    assert outcome.report.exit_code is ExitCode.DRAINED
    for death in outcome.actor("actor").deaths:
        _, _, cause = death.partition("steady_mp.testing.scripted.LivesTwice: ")
        assert cause.startswith(f"actor 'actor' lives twice: process {process} (life 1) still lives it, and process")
    assert outcome.actor("actor").state["lives"] == [1, outcome.actor("actor").generation]


def test_lives_one_after_the_other_are_no_double_life() -> None:
    """However soon the next one begins: the kernel drops the claim before anybody hears of the death."""
    deaths = 20
    graph = Graph("scripted", log_level="error")
    numbers_tx, numbers_rx = graph.channel(8)
    results_tx, results_rx = graph.channel(8)
    graph.actor("source", perform, Script.each_life([Send(range(MANY))]), numbers_tx)
    lives: list[list[Step]] = [
        [PassOn(until=2 * life), LeakProcess(), Take(), Send([-1]), Die()] for life in range(deaths)
    ]
    graph.actor(
        "a/b", perform, Script.each_life(*lives, [PassOn()]), numbers_rx, results_tx, graph.state(), restart=UNTIRING
    )
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("a/b").deaths == ["SIGKILL"] * deaths
    assert outcome.actor("a/b").state == {"lives": list(range(1, deaths + 2)), "taken": MANY, "sent": MANY}
    assert outcome.actor("sink").state["seen"] == list(range(MANY))
