"""Recovery by itself, as the supervisor does it before the next life begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp.memory import layout
from steady_mp.recovery import recover
from steady_mp.testing.points import DONE, UNDONE
from steady_mp.testing.rig import Killed, Overslept, Party, Rig


class Middle:
    """An actor with an input and an output, a message staged at each, and sleeping peers."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.source, self.it, self.sink = (self.rig.party(name) for name in ("source", "it", "sink"))
        self.a = self.rig.channel(self.source, self.it, capacity=4)
        self.b = self.rig.channel(self.it, self.sink, capacity=4)
        self.rig.start()
        self.source.send(self.a, 1, 2)
        self.it.tx(self.b).send(self.it.rx(self.a).take())
        self.it.state().acquire(lambda: ["state"])
        self.it.actor().request_shutdown()

    def die(self, point: str, hit: int = 1) -> None:
        self.it.kill_at(point, hit)
        with pytest.raises(Killed):
            self.it.turn.commit()

    def recover(self) -> None:
        recover(self.it.control, [(sends, mapping.words) for _, mapping, sends in self.it.channels])

    def shown(self) -> tuple[int, int]:
        return self.rig.words(self.a)[layout.HEAD], self.rig.words(self.b)[layout.TAIL]


@pytest.mark.parametrize("point", [*UNDONE, *(point for point in DONE if point != "commit:ring")])
def test_what_was_committed_is_shown_and_nothing_else(point: str) -> None:
    middle = Middle()
    middle.die(point)
    middle.recover()
    committed = point in DONE
    assert middle.shown() == ((1, 1) if committed else (0, 0))
    assert middle.it.word(layout.REQUESTED) == committed
    assert middle.sink.take(middle.b) == ([1] if committed else [])


@given(st.lists(st.sampled_from(["recover", "begin"]), max_size=4))
def test_doing_it_again_changes_nothing(steps: list[str]) -> None:
    middle = Middle()
    middle.die("commit:epoch")
    for step in ["recover", *steps]:
        middle.recover() if step == "recover" else middle.it.begin()
        assert middle.shown() == (1, 1)
    middle.it.begin()
    assert middle.it.rx(middle.a).take() == 2


def test_whatever_the_dead_waited_for_or_held_back_is_dropped() -> None:
    """Its peers would ring for nobody, or tear their turns for it."""
    middle = Middle()
    with pytest.raises(Overslept):
        middle.it.actor().await_for_all(middle.it.rx(middle.a).wait_avail(4), middle.it.tx(middle.b).wait_vacant(4))
    for channel in (middle.a, middle.b):
        words = middle.rig.words(channel)
        for word in (layout.TX_HELD, layout.RX_HELD):
            words[word] = 3
    a, b = middle.rig.words(middle.a), middle.rig.words(middle.b)
    assert (a[layout.WAKE_TAIL], b[layout.WAKE_HEAD]) != (layout.NEVER, layout.NEVER)
    middle.recover()
    assert (a[layout.WAKE_TAIL], b[layout.WAKE_HEAD]) == (layout.NEVER, layout.NEVER)
    assert (a[layout.RX_HELD], b[layout.TX_HELD]) == (0, 0)
    assert (a[layout.TX_HELD], b[layout.RX_HELD]) == (3, 3)  # those are the peers' own


def test_closing_and_finishing_are_shown_too() -> None:
    middle = Middle()
    middle.it.tx(middle.b).mark_closed()
    middle.it.rx(middle.a).close()
    middle.it.kill_at("commit:epoch")
    with pytest.raises(Killed):
        middle.it.turn.finish()
    middle.recover()
    assert middle.it.word(layout.FINISHED)
    assert middle.source.tx(middle.a).is_closed()
    assert middle.sink.take(middle.b) == [1]
    assert middle.sink.rx(middle.b).is_closed_and_empty()


def test_an_actor_that_never_committed_recovers_to_nothing() -> None:
    rig = Rig()
    party: Party = rig.party("new")
    rig.start()
    journal = recover(party.control, [])
    assert (journal.snapshot_length, journal.cursors) == (0, ())
