"""The quarantine on a disk that takes nothing: a death is judged all the same, and the run goes on."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from steady_mp import Graph
from steady_mp.channel.kinds import format_channel
from steady_mp.events import LettersReplayed
from steady_mp.memory import disk, layout
from steady_mp.memory.control import Cursor, Journal
from steady_mp.memory.hands import Held
from steady_mp.memory.letters import Letter, Letters
from steady_mp.memory.mapping import Mapping
from steady_mp.supervisor.quarantine import Quarantine, Verdict, leave

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steady_mp import Actor, Rx, Tx
    from steady_mp.events import Event


def behave(actor: Actor, end: Rx[int] | Tx[int]) -> None:
    """Stand for any behavior."""


class Case:
    """A sink that has died with message 3 in hand."""

    def __init__(self, directory: Path, policy: Any) -> None:
        graph = Graph("judged")
        tx, rx = graph.channel(name="numbers", showstopper=policy, showstopper_after=2)
        graph.actor("source", behave, tx)
        graph.actor("sink", behave, rx)
        plan = graph.plan()
        self.mapping = Mapping(None, layout.channel_bytes(plan.channels[0].ring_bytes))
        format_channel(self.mapping, plan.channels[0])
        self.events: list[Event] = []
        self.said: list[str] = []
        self.letters = Letters(directory)
        log: Any = SimpleNamespace(write=lambda _actor, _level, text: self.said.append(text))
        self.quarantine = Quarantine(self.letters, plan, [self.mapping], self.events.append, log)
        self.seat: Any = SimpleNamespace(
            index=1,
            name="sink",
            generation=1,
            plan=plan.actors[1],
            unsettled=[Held(end=0, head=3, first=3, last=3, reach=4)],
        )

    def die(self) -> Verdict:
        return self.quarantine.died(self.seat, "ValueError: 3")

    def close(self) -> None:
        self.quarantine.close()
        self.mapping.close()


@pytest.fixture(params=["dead_letter"])
def case(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    letter = Letter(channel="numbers", index=0, position=3, actor="sink", policy="dead_letter", time=0.0)
    monkeypatch.setattr(Quarantine, "_letter", lambda *_: letter)  # the ring has no message to read
    case = Case(tmp_path, request.param)
    yield case
    case.close()


def fail_at(monkeypatch: pytest.MonkeyPatch, *ends: str) -> None:
    """Let nothing be written from here on whose name ends so."""
    replace = disk.replace

    def full(path: Path, data: bytes) -> None:
        if path.name.endswith(ends):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(path, data)

    monkeypatch.setattr(disk, "replace", full)


def test_with_room_the_second_death_puts_the_message_aside(case: Case) -> None:
    assert case.die() == Verdict()
    assert case.die() == Verdict(put_aside=True)
    assert case.letters.holes(0) == {3}
    assert case.said == []


def test_a_full_disk_ends_nothing_and_is_said_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        fail_at(patch, "")
        for _ in range(3):
            assert case.die() == Verdict()
    assert len(case.said) == 1
    assert "what sink had in hand can't be written down" in case.said[0]
    assert "No space left on device" in case.said[0]
    assert case.die() == Verdict()  # nothing is known of the deaths before
    assert case.die() == Verdict(put_aside=True)


def test_a_letter_that_finds_no_room_is_written_at_the_next_death(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    assert case.die() == Verdict()
    with monkeypatch.context() as patch:
        fail_at(patch, "0-3")
        assert case.die() == Verdict()
    assert case.events == []
    assert case.die() == Verdict(put_aside=True)


def test_what_was_put_aside_counts_though_nothing_more_can_be_written(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert case.die() == Verdict()
    fail_at(monkeypatch, ".suspects")
    assert case.die() == Verdict(put_aside=True)
    assert len(case.events) == 1


@pytest.mark.parametrize("case", ["stop"], indirect=True)
def test_a_showstopper_stops_though_nothing_can_be_written(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    assert case.die() == Verdict()
    fail_at(monkeypatch, "")
    assert "message 3 of numbers was in hand at 2 deaths of sink in a row" in case.die().stop


def test_what_can_t_be_read_is_not_known(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    assert case.die() == Verdict()

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Letters, "suspects", refuse)
    assert case.die() == Verdict()
    assert len(case.said) == 1


@pytest.mark.parametrize("refused", ["orders", "all", "settle"])
def test_letters_that_can_t_be_read_are_settled_another_time(
    case: Case, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """And at the end of a run nobody knows then how many are left: its folder stays, and a later sweep looks."""
    for _ in range(2):
        case.die()
    case.letters.order(0, [3])
    case.seat.seal = lambda: None
    case.seat.control = SimpleNamespace(
        journal=lambda: Journal(0, 0, 0, 0, 0, (Cursor(4, 64, 1 << layout.CLOSED_BITS),))
    )
    stays: list[bool] = []
    run: Any = SimpleNamespace(hold_on=lambda: stays.append(True), has_begun=True, path=case.letters.path.parent)

    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(Letters, refused, refuse)
        assert leave(case.quarantine, [case.seat], run) == (0, "")
    assert stays
    assert len(case.said) == 1
    assert leave(case.quarantine, [case.seat], run) == (0, "")
    assert [type(event) for event in case.events[1:]] == [LettersReplayed]


def test_as_many_deaths_are_counted_as_may_be_asked_for(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quarantine, "_after", lambda *_: 20)
    assert [case.die().put_aside for _ in range(20)] == [False] * 19 + [True]
    assert case.letters.holes(0) == {3}


def test_of_many_deaths_only_the_latest_are_written_down_whole(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quarantine, "_after", lambda *_: 1000)
    for _ in range(20):
        case.quarantine.died(case.seat, "ValueError: " + "x" * 1000, "Traceback")
    [suspect] = case.letters.suspects(1)
    assert ["traceback" in death for death in suspect.deaths] == [False] * 4 + [True] * 16
    assert all(len(death["cause"]) <= 100 for death in suspect.deaths[:4])


# Many at once: a slice of thousands that was in hand


def hold(case: Case, first: int, last: int) -> None:
    case.seat.unsettled = [Held(end=0, head=first, first=first, last=last, reach=last + 1)]


@pytest.fixture
def long_case(case: Case, monkeypatch: pytest.MonkeyPatch) -> Case:
    def letter(*words: Any) -> Letter:
        return Letter(channel="numbers", index=0, position=words[3], actor="sink", policy="dead_letter", time=0.0)

    monkeypatch.setattr(Quarantine, "_letter", letter)
    hold(case, 0, 199)
    assert case.die() == Verdict()
    return case


def test_a_long_range_is_put_aside_in_steps_between_which_the_supervisor_looks_up(long_case: Case) -> None:
    case = long_case
    assert case.die() == Verdict(put_aside=True)
    counts = [len(case.letters.holes(0))]
    before = case.letters.suspects(1)
    assert case.quarantine.is_at_work(case.seat)
    while case.quarantine.is_at_work(case.seat):
        assert case.letters.suspects(1) == before, "whoever dies here leaves the rest suspected"
        assert case.quarantine.go_on(case.seat)
        counts.append(len(case.letters.holes(0)))
    assert counts == [64, 128, 192, 200]
    assert not case.quarantine.go_on(case.seat)
    assert case.letters.suspects(1) == []
    assert len(case.events) == 200


def test_a_disk_that_is_full_on_the_way_leaves_the_rest_for_the_next_death(
    long_case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = long_case
    assert case.die() == Verdict(put_aside=True)
    with monkeypatch.context() as patch:
        fail_at(patch, "0-100")
        assert case.quarantine.go_on(case.seat)
    assert not case.quarantine.go_on(case.seat)
    assert len(case.said) == 1
    assert case.letters.holes(0) == set(range(100))
    hold(case, 100, 199)
    assert case.die() == Verdict(put_aside=True)
    while case.quarantine.go_on(case.seat):
        pass
    assert case.letters.holes(0) == set(range(200))
