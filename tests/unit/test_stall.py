"""The stall watch by a manual clock, with words stored by hand: who is stuck, who is not, and what does not count."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, Graph
from steady_mp.events import ActorStalled, Event
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.standing import STALL, Halt, halt_of, word_for
from steady_mp.supervisor.messages import LookForStalls, StackDue
from steady_mp.supervisor.seat import Status
from steady_mp.supervisor.stall import StallWatch
from steady_mp.supervisor.timers import Timers
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import LiveOn

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 4.0
#: No process has it.
NOBODY = 1 << 30


class Watched:
    """One actor under watch; time is what the test says."""

    def __init__(self, directory: Path) -> None:
        self.now = 100.0
        self.words = Mapping(None, layout.control_bytes(1)).words
        self.signals: list[int] = []
        self.events: list[Event] = []
        self.halt = Halt()
        self.frozen = False
        self.seat: Any = SimpleNamespace(
            index=0,
            name="worker",
            plan=SimpleNamespace(stall_timeout=LIMIT),
            control=SimpleNamespace(words=self.words),
            status=Status.RUNNING,
            pid=NOBODY,
            generation=1,
            kill=lambda number=signal.SIGKILL: self.signals.append(number),
        )
        self.timers = Timers(lambda: self.now)
        seats: list[Any] = [self.seat]
        self.watch = StallWatch(
            seats,
            directory,
            emit=self.events.append,
            after=self.timers.after,
            is_frozen=lambda _: self.frozen,
            clock=lambda: self.now,
            halt=lambda _: self.halt,
        )
        self.words[layout.PHASE] = layout.PHASE_RUNNING
        self.look_up()
        self.watch.begin()

    def look_up(self) -> None:
        self.words[layout.LOOKED_NS] = int(self.now * 1e9)

    def live(self, seconds: float, *, at_once: bool = False) -> None:
        """Let time pass, with all that is due in it; `at_once` for a watch that was held up meanwhile."""
        end = self.now + seconds
        while not at_once and (wait := self.timers.wait) is not None and self.now + wait <= end:
            self.now += wait
            self.work()
        self.now = end
        self.work()

    def work(self) -> None:
        for message in self.timers.due():
            match message:
                case LookForStalls():
                    self.watch.look()
                case StackDue():
                    self.watch.take_stack(message)

    @property
    def is_killed(self) -> bool:
        return signal.SIGKILL in self.signals


@pytest.fixture
def worker(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_one_that_does_not_look_up_is_killed_once(worker: Watched) -> None:
    worker.live(LIMIT - 0.1)
    assert not worker.signals
    worker.live(2.0)
    assert worker.signals == [signal.SIGKILL]  # no process has its number, so nobody could be asked for a stack
    (event,) = worker.events
    assert isinstance(event, ActorStalled)
    assert LIMIT <= event.seconds < LIMIT + 1.5
    assert event.text.startswith("worker is stuck in its own code for ")
    assert event.text.endswith("; it is killed (stall_timeout 4 s)")
    worker.live(100.0)
    assert len(worker.signals) == 1
    verdict = worker.watch.ended(worker.seat, -signal.SIGKILL)
    assert verdict is not None
    assert verdict[0] == "stall"
    assert worker.watch.ended(worker.seat, -signal.SIGKILL) is None


def test_one_that_looks_up_or_waits_is_not(worker: Watched) -> None:
    for _ in range(10):
        worker.live(LIMIT - 0.1)
        worker.look_up()
    worker.words[layout.PHASE] = layout.PHASE_WAITING
    worker.live(1000.0)
    assert not worker.signals
    # It awakes: what it has waited is no time in its own code.
    worker.look_up()
    worker.words[layout.PHASE] = layout.PHASE_RUNNING
    worker.live(LIMIT - 0.1)
    assert not worker.signals


def test_its_start_counts_as_well(worker: Watched) -> None:
    worker.words[layout.PHASE] = layout.PHASE_STARTING
    worker.live(LIMIT + 2.0)
    assert worker.is_killed


@pytest.mark.parametrize("how", ["traced", "debugged", "frozen"])
def test_one_that_is_held_up_is_not_and_the_time_does_not_count(how: str, worker: Watched) -> None:
    worker.live(1.0)
    worker.halt = Halt(traced=how == "traced", stopped=how == "frozen")
    worker.words[layout.DEBUGGED] = how == "debugged"
    worker.frozen = how == "frozen"
    worker.live(1000.0)
    worker.halt, worker.frozen = Halt(), False
    worker.words[layout.DEBUGGED] = 0
    worker.live(LIMIT - 1.0)
    assert not worker.signals
    worker.live(3.0)
    assert worker.is_killed


def test_one_that_stands_still_is_killed_also_in_its_sleep(worker: Watched) -> None:
    worker.words[layout.PHASE] = layout.PHASE_WAITING
    worker.live(10.0)
    worker.halt = Halt(stopped=True)
    worker.live(LIMIT - 0.5)
    assert not worker.signals
    worker.live(1.5)
    assert worker.signals == [signal.SIGKILL]
    (event,) = worker.events
    assert event.text.startswith("worker is stopped (SIGSTOP) for ")
    verdict = worker.watch.ended(worker.seat, -signal.SIGKILL)
    assert verdict is not None
    assert verdict[0] == "stopped"


def test_one_that_goes_on_in_time_is_spared(worker: Watched) -> None:
    worker.halt = Halt(stopped=True)
    worker.live(LIMIT - 0.5)
    worker.halt = Halt()
    worker.live(LIMIT - 0.5)  # what it stood still is no time in its own code
    assert not worker.signals


def test_one_that_goes_on_while_it_is_asked_for_its_stack_is_spared(worker: Watched) -> None:
    while not worker.watch._watched or not worker.watch._watched[0].asked:
        worker.live(0.25)
    worker.look_up()
    worker.live(LIMIT - 0.5)
    assert not worker.signals


def test_time_in_which_nobody_looked_does_not_count(worker: Watched) -> None:
    """The whole run was stopped, or its machine: nobody could look up, nor be seen to."""
    worker.live(1.0)
    worker.live(1000.0, at_once=True)
    worker.live(LIMIT - 0.5)
    assert not worker.signals
    worker.live(1.5)
    assert worker.is_killed


def test_a_life_that_ends_by_itself_has_no_verdict(worker: Watched) -> None:
    worker.live(LIMIT + 2.0)
    assert worker.is_killed
    assert worker.watch.ended(worker.seat, 0) is None


def test_nobody_is_watched_without_a_limit(tmp_path: Path) -> None:
    timers = Timers(lambda: 0.0)
    seat: Any = SimpleNamespace(index=0, plan=SimpleNamespace(stall_timeout=None))
    StallWatch([seat], tmp_path, emit=print, after=timers.after, is_frozen=bool).begin()
    assert timers.wait is None


@pytest.mark.parametrize("wrong", [0, -1, 0.01, "5", float("inf"), float("nan"), True])
def test_a_limit_that_makes_no_sense_is_refused(wrong: object) -> None:
    graph = Graph("limits")
    with pytest.raises(ConfigurationError, match=r"actor 'a': stall_timeout .*: must be a number"):
        graph.actor("a", perform, Script.each_life([LiveOn()]), stall_timeout=wrong)  # type: ignore[arg-type]


def test_the_words_for_how_an_actor_stands() -> None:
    def word(phase: int = layout.PHASE_RUNNING, *, seconds: float = 0.0, **more: Any) -> str:
        facts = {"blocked": False, "halt": Halt(), "debugged": False, "stall": None, **more}
        return word_for(phase=phase, seconds=seconds, **facts)

    assert word() == "running"
    assert word(layout.PHASE_STARTING) == "starting"
    assert word(layout.PHASE_WAITING) == "idle"
    assert word(layout.PHASE_WAITING, blocked=True) == "blocked"
    assert word(seconds=STALL) == word(layout.PHASE_STARTING, seconds=STALL) == "stuck"
    assert word(seconds=STALL, stall=STALL + 1) == "running"
    assert word(seconds=1.0, stall=1.0) == "stuck"
    assert word(seconds=STALL, debugged=True) == word(seconds=STALL, halt=Halt(traced=True)) == "debugged"
    assert word(layout.PHASE_WAITING, halt=Halt(traced=True)) == "idle"  # somebody who only looks on
    assert word(layout.PHASE_WAITING, halt=Halt(stopped=True)) == "stopped"
    assert halt_of(NOBODY) == Halt()


def test_one_whose_dump_can_t_be_read_is_killed_all_the_same(worker: Watched, tmp_path: Path) -> None:
    (tmp_path / "actor-0.stack").mkdir()  # refuses, as a process without descriptors does
    worker.live(LIMIT + 4.0)
    assert worker.is_killed
