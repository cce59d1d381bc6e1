"""A rehearsal: two lives on memory of this process, for the spare to go through before it has a role.

A fresh fork shares all memory with its parent, and each page that it writes to for the first time is copied by a
fault. An interpreter writes wherever it looks, because it counts references. So the spare lives what each actor begins
with where nobody sees it, and the copies are made before somebody waits for them.
"""

from __future__ import annotations

import faulthandler
import functools
import logging
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from steady_mp.channel.ring import Ring
from steady_mp.life import Life, Place
from steady_mp.logs import PipeHandler
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.packing import Declared, pack, unpack
from steady_mp.plan import ActorPlan, ChannelPlan, EndPlan, Plan
from steady_mp.supervisor.quicken import quicken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steady_mp.actor import Actor
    from steady_mp.channel.receiver import ObjectRx
    from steady_mp.channel.sender import ObjectTx
    from steady_mp.state import SteadyState
    from steady_mp.supervisor.ahead import Ahead

_RING_BYTES: Final = layout.PAGE
_CAPACITY: Final = 8
_STDERR: Final = 2


class _Alone:
    """Whom a life needs around it: a neighbour that needs no waking, and no sleep."""

    def ring(self) -> None:
        """Wake nobody."""

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> NoReturn:
        """No turn of a rehearsal has to wait: the speaker finds room, and the listener an end."""
        raise RuntimeError(seconds, fds)


@dataclass
class _Words:
    count: int = 0


def _speak(actor: Actor, tx: ObjectTx[object], state: SteadyState[_Words]) -> None:
    said = state.acquire(_Words)
    while actor.is_running() and said.count < _CAPACITY:
        tx.send(said.count if said.count % 2 else (said.count, "text"))
        said.count += 1
    actor.commit()


def _listen(actor: Actor, rx: ObjectRx[object], state: SteadyState[_Words]) -> None:
    heard = state.acquire(_Words)
    while actor.is_running():
        rx.take()
        heard.count += 1


@functools.cache
def _packed() -> tuple[bytes, bytes]:
    """Return the two behaviors as a run directory has them."""
    tx, rx = (Declared(kind, 0, "the rehearsal's", 0) for kind in ("tx", "rx"))
    state = Declared("state", 0, "the rehearsal's", 0)
    return (
        pack("speaker", _speak, ["tx", "state"], (tx, state))[0],
        pack("listener", _listen, ["rx", "state"], (rx, state))[0],
    )


def rehearse(ahead: Ahead, actor: int) -> Iterator[None]:
    """Get ready for a life, of `actor` as a guess, and live two short ones. May be left off after each step."""
    ahead.prepare()
    yield
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as it is
    if not faulthandler.is_enabled():
        faulthandler.enable(_STDERR)
        faulthandler.disable()
    ahead.guess(actor)
    yield
    yield from rehearse_lives()


def rehearse_lives() -> Iterator[None]:
    """Live the lives of a producer and of its consumer, step by step. Leaves nothing behind but warm memory."""
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
    for index, packed in enumerate(_packed()):
        yield
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
        behavior, args = unpack(packed, life.resolve)
        quicken(behavior)
        life.live(behavior, args)
        yield
        again = Life(place, 2)  # one that has a state, as the life has that a spare is for
        again.book.acquire(0, _Words)


def _abandon(reason: str) -> NoReturn:
    raise RuntimeError(reason)
