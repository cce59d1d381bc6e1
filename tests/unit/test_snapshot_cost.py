"""What saving the state costs: counted, and said once where it is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp.memory import layout
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.next_journal import NextJournal
from steady_mp.testing.rig import Party, Rig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steady_mp.memory.control import CursorWords
    from steady_mp.staging import Staging
    from steady_mp.state import StateBook

WINDOW = 5.0


class Costs:
    """A state whose snapshot takes a time of its own."""

    def __init__(self, seconds: float, *, changes: bool = True) -> None:
        self.rig = Rig()
        self.party: Party = self.rig.party("it")
        self.rig.start()
        self.seconds = seconds
        self.changes = changes
        self.count = 0
        self.arm()

    def arm(self) -> None:
        book: StateBook = self.party.book
        encode = book.encode
        state = self.party.state()
        state.acquire(lambda: 0)

        def slowly() -> bytes | None:
            self.rig.clock.advance(self.seconds)
            return encode()

        self.party.turn._book = Slow(book, slowly)  # type: ignore[assignment]

    def work(self, turns: int, seconds: float, waited: float = 0.0) -> None:
        for _ in range(turns):
            self.rig.clock.advance(seconds)
            self.party.control.words[layout.WAITED_NS] += int(waited * 1e9)
            if self.changes:
                self.count += 1
                self.party.state().replace(self.count)
            self.party.turn.commit()


class Slow:
    def __init__(self, book: StateBook, encode: object) -> None:
        self._book = book
        self.encode = encode

    @property
    def values(self) -> dict[int, object]:
        return self._book.values

    @property
    def kept(self) -> bytes | None:
        return self._book.kept

    @kept.setter
    def kept(self, snapshot: bytes) -> None:
        self._book.kept = snapshot


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in caplog.messages if message.startswith("saving its state takes ")]


def test_a_quarter_of_the_busy_time_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    actor = Costs(0.01)
    actor.work(120, seconds=0.03)
    assert not warnings(caplog)  # not before it has looked for long enough
    actor.work(10, seconds=0.03)
    (said,) = warnings(caplog)
    assert said.startswith("saving its state takes 25 % of the time in which this actor does not wait (")
    length = actor.party.control.journal().snapshot_length
    assert f"({length} bytes the last time)" in said
    actor.work(400, seconds=0.03)
    actor.party.begin()
    actor.arm()
    actor.work(400, seconds=0.03)
    assert len(warnings(caplog)) == 2  # once in each life


def test_a_tenth_is_not_too_much(caplog: pytest.LogCaptureFixture) -> None:
    Costs(0.01).work(1000, seconds=0.09)
    assert not warnings(caplog)


def test_the_time_in_which_it_waits_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    Costs(0.01).work(600, seconds=0.09, waited=0.07)
    (said,) = warnings(caplog)
    assert " 33 % " in said


def test_what_nobody_would_miss_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    """An actor that sleeps most of the time may well spend the rest of it on its state."""
    Costs(0.001).work(100, seconds=1.0, waited=0.999)
    assert not warnings(caplog)


def test_a_state_that_is_looked_at_and_not_written_costs_too(caplog: pytest.LogCaptureFixture) -> None:
    actor = Costs(0.01, changes=False)
    actor.work(600, seconds=0.01)
    assert len(warnings(caplog)) == 1
    words = actor.party.control.words
    assert words[layout.SNAPSHOT_NS] == pytest.approx(6e9, rel=0.01)
    assert words[layout.SNAPSHOT_BYTES] == len(actor.party.book.kept or b"")


def test_what_its_messages_take_to_be_written_is_no_cost_of_the_state(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = Costs(0.001)
    freeze = NextJournal.freeze

    def slowly(self: NextJournal, ends: Iterable[Staging]) -> list[tuple[Staging, int, CursorWords]]:
        actor.rig.clock.advance(0.05)
        return freeze(self, ends)

    monkeypatch.setattr(NextJournal, "freeze", slowly)
    actor.work(300, seconds=0.01)
    assert not warnings(caplog)
    assert actor.party.control.words[layout.SNAPSHOT_NS] == pytest.approx(0.3e9, rel=0.01)


def test_writing_it_is_part_of_its_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = Costs(0.001)
    write = SnapshotSlots.write

    def slowly(self: SnapshotSlots, slot: int, data: bytes) -> int:
        actor.rig.clock.advance(0.002)
        return write(self, slot, data)

    monkeypatch.setattr(SnapshotSlots, "write", slowly)
    actor.work(100, seconds=0.01)
    assert actor.party.control.words[layout.SNAPSHOT_NS] == pytest.approx(0.3e9, rel=0.01)


def test_an_actor_without_a_state_has_no_cost() -> None:
    rig = Rig()
    party = rig.party("it")
    rig.start()
    party.turn.request_shutdown()
    party.turn.commit()
    assert party.control.words[layout.SNAPSHOT_NS] == 0
