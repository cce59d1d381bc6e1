"""What `revive --skip-head` puts aside: what an actor is stuck over, as far as it has not got past it since."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from steady_mp.memory import layout
from steady_mp.memory.letters import Letter, Letters, Suspect
from steady_mp.supervisor.quarantine import Quarantine
from steady_mp.testing.rig import pair

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.logs import LogWriter
    from steady_mp.supervisor.seat import Seat

DEATH = ({"generation": 1, "cause": "SIGSEGV", "time": 0.0},)
TAKEN, SENT = 5, 9


@pytest.mark.parametrize(
    ("suspects", "expected"),
    [
        ([], (5, 5)),
        ([(2, 2)], (5, 5)),
        ([(3, 6)], (5, 6)),
        ([(6, 6)], (6, 6)),
        ([(1, 1), (7, 7)], (7, 7)),
        ([(layout.LETTER + 1, layout.LETTER + 1)], (5, 5)),
    ],
)
def test_what_was_got_past_since_is_nobodys_head(
    tmp_path: Path, suspects: list[tuple[int, int]], expected: tuple[int, int]
) -> None:
    rig, source, sink, channel = pair()
    source.send(channel, *range(SENT))
    sink.take(channel, TAKEN)
    plan, letters = rig.plan(), Letters(tmp_path)
    letters.suspect(1, [Suspect(0, first, last, DEATH) for first, last in suspects])
    quarantine = Quarantine(letters, plan, [source.channels[0][1]], lambda _: None, cast("LogWriter", None))
    seat: Any = SimpleNamespace(index=1, name="sink", plan=plan.actors[1], control=sink.control)
    [head] = quarantine.heads(cast("Seat", seat))
    assert (head.channel, head.first, head.last) == (0, *expected)
    quarantine.put_aside(seat, head)
    assert sorted(letters.holes(0)) == list(range(expected[0], expected[1] + 1))
    quarantine.close()


def test_an_order_that_is_still_to_be_carried_out_is_one(tmp_path: Path) -> None:
    rig, source, sink, _ = pair()
    plan, letters = rig.plan(), Letters(tmp_path)
    letters.order(0, [3])
    letters.suspect(1, [Suspect(0, layout.LETTER + 3, layout.LETTER + 3, DEATH)])
    quarantine = Quarantine(letters, plan, [source.channels[0][1]], lambda _: None, cast("LogWriter", None))
    seat: Any = SimpleNamespace(index=1, name="sink", plan=plan.actors[1], control=sink.control)
    [head] = quarantine.heads(cast("Seat", seat))
    assert head.first == layout.LETTER + 3
    quarantine.close()


def test_what_was_put_aside_before_is_not_put_aside_again(tmp_path: Path) -> None:
    rig, source, sink, channel = pair()
    source.send(channel, *range(SENT))
    sink.take(channel, TAKEN)
    plan, letters = rig.plan(), Letters(tmp_path)
    letters.put(Letter(channel="channel 0", index=0, position=7, actor="sink", policy="skip", time=0.0))
    letters.suspect(1, [Suspect(0, 5, 7, DEATH)])
    quarantine = Quarantine(letters, plan, [source.channels[0][1]], lambda _: None, cast("LogWriter", None))
    seat: Any = SimpleNamespace(index=1, name="sink", plan=plan.actors[1], control=sink.control)
    [head] = quarantine.heads(cast("Seat", seat))
    assert (head.first, head.last) == (5, 6)
    quarantine.put_aside(seat, head)
    assert letters.read(0, 7).policy == "skip"
    quarantine.close()
