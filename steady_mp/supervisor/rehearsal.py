"""A rehearsal: two lives on memory of this process, for the spare to go through before it has a role.

A fresh fork shares all memory with its parent, and each page that it writes to for the first time is copied by a
fault. An interpreter writes wherever it looks, because it counts references. So the spare lives what each actor begins
with where nobody sees it, and the copies are made before somebody waits for them.
"""

from __future__ import annotations

import logging
import os
import pickle
from typing import TYPE_CHECKING, Final, NoReturn

from steady_mp.channel.ring import Ring
from steady_mp.life import Life, Place
from steady_mp.logs import PipeHandler
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.owner import Owner
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.packing import unpack
from steady_mp.plan import ActorPlan, ChannelPlan, EndPlan, Plan
from steady_mp.state import SteadyState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.actor import Actor
    from steady_mp.channel.receiver import ObjectRx
    from steady_mp.channel.sender import ObjectTx

_RING_BYTES: Final = layout.PAGE
_CAPACITY: Final = 8


class _Alone:
    """Whom a life needs around it: a neighbour that needs no waking, and no sleep."""

    def ring(self) -> None:
        """Wake nobody."""

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> NoReturn:
        """No turn of a rehearsal has to wait: the speaker finds room, and the listener an end."""
        raise RuntimeError(seconds, fds)


def _speak(actor: Actor, tx: ObjectTx[object], state: SteadyState[dict[str, int]]) -> None:
    said = state.acquire(lambda: {"count": 0})
    while actor.is_running() and said["count"] < _CAPACITY:
        tx.send(said["count"] if said["count"] % 2 else (said["count"], "text"))
        said["count"] += 1
    actor.commit()


def _listen(actor: Actor, rx: ObjectRx[object], state: SteadyState[dict[str, int]]) -> None:
    heard = state.acquire(lambda: {"count": 0})
    while actor.is_running():
        rx.take()
        heard["count"] += 1


def rehearse() -> None:
    """Live two short lives, of a producer and of its consumer. Leaves nothing behind but warm memory."""
    Owner.me()
    unpack(pickle.dumps((print, ("rehearsal",))), _no_reference)
    with open(os.devnull, "w", buffering=1, encoding="utf-8", errors="backslashreplace") as sink:  # noqa: PTH123
        print("rehearsal", file=sink)
    PipeHandler().format(logging.makeLogRecord({"msg": "rehearsal"}))
    plan = Plan(
        graph="rehearsal",
        actors=(
            ActorPlan(name="speaker", behavior="", ends=(EndPlan(channel=0, sends=True),)),
            ActorPlan(name="listener", behavior="", ends=(EndPlan(channel=0, sends=False),)),
        ),
        channels=(ChannelPlan(name="words", capacity=_CAPACITY, ring_bytes=_RING_BYTES, producer=0, consumer=1),),
        log_level=logging.WARNING,
        path=(),
        modules=(),
    )
    channel = Mapping(None, layout.channel_bytes(_RING_BYTES))
    Ring.format(channel, _CAPACITY)
    run = Mapping(None, layout.PAGE)
    alone = _Alone()
    behaviors: tuple[Callable[..., None], ...] = (_speak, _listen)
    for index, behavior in enumerate(behaviors):
        control = ControlBlock(Mapping(None, layout.control_bytes(1)), 1)
        control.format()
        place = Place(
            plan=plan,
            index=index,
            stores=[Ring(channel, "words")],
            control=control,
            snapshots=SnapshotSlots(None),
            run=run.words,
            parker=alone,
            supervisor=alone,
            neighbour=lambda _: alone,
            abandon=_abandon,
        )
        life = Life(place, 1)
        life.live(behavior, [life.ends[0], SteadyState[dict[str, int]](life.book, 0)])
        again = Life(place, 2)  # one that has a state, as the life has that a spare is for
        SteadyState[dict[str, int]](again.book, 0).acquire(dict)


def _no_reference(kind: str, index: int) -> NoReturn:
    raise LookupError(kind, index)


def _abandon(reason: str) -> NoReturn:
    raise RuntimeError(reason)
