"""The part: the behavior of an actor that is played by a test. It does what the test says, and nothing else.

It keeps no state of its own. How far it has come is what its channels say, which is part of each commit:
the position of the next message to send, and of the next one to take.
"""

from __future__ import annotations

import math
import os
import pickle
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from steady_mp.channel.endpoints import SendOutcome
from steady_mp.channel.waits import Condition
from steady_mp.errors import PeerGone, SteadyError
from steady_mp.supervisor.bootstrap import RUN_MARK
from steady_mp.testing.cues import Answer, Close, Cue, Done, Echo, Hello, Leave, Refused, Show, Shown, Take
from steady_mp.testing.wire import Lost, Wire, connect

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from steady_mp.actor import Actor
    from steady_mp.channel.consuming import ConsumingEnd
    from steady_mp.channel.endpoints import Rx, Tx
    from steady_mp.channel.producing import ProducingEnd
    from steady_mp.channel.waits import Alarm

_MOST_SHOWN: Final = 256
_HELD: Final = "its test has not let it leave the stage"


def play(actor: Actor, outputs: list[Tx[Any]], inputs: list[Rx[Any]], name: str) -> None:
    """Play: connect to the socket `name` of the run, and follow the cues until one says to leave."""
    part = _Part(actor, outputs, inputs, Path(os.environ[RUN_MARK]) / name)
    while actor.is_running(veto=part.veto) and not part.is_over:
        part.go_on()


class _Moved(Condition):
    """Either end of a channel has moved since this was made."""

    __slots__ = ("_end", "_mark")

    def __init__(self, end: ProducingEnd[Any] | ConsumingEnd[Any]) -> None:
        self._end = end
        self._mark = end.mark()

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("moved", id(self._end))

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return self._end.mark() != self._mark

    def arm(self, alarm: Alarm) -> None:
        """Be woken by the peer's next move."""
        self._end.arm_change()
        alarm.ends.append(self._end)


class _Listening(Condition):
    """The test listens; it rings this actor's bell once it does."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return "listening"

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return self._path.exists()

    def arm(self, alarm: Alarm) -> None:
        """Nothing to arrange."""


class _Part:
    """One life of a played actor."""

    def __init__(self, actor: Actor, outputs: Sequence[Any], inputs: Sequence[Any], path: Path) -> None:
        self._actor = actor
        self._outputs: Sequence[ProducingEnd[Any]] = outputs
        self._inputs: Sequence[ConsumingEnd[Any]] = inputs
        self._path = path
        self._wire: Wire | None = None
        self._cue: Cue | None = None
        self._cued_at = 0.0
        self._leaves = False
        #: It was let go, and none of its inputs can bring anything any more.
        self.is_over = False

    def veto(self) -> str | None:
        """Stay until the test says otherwise, whoever else asks for a shutdown."""
        return None if self._leaves else _HELD

    def go_on(self) -> None:
        """Do what can be done, then wait for what must come first."""
        try:
            wire = self._wire or self._connect()
            if wire is None:
                self._actor.await_for_any(_Listening(self._path))
                return
            for cue in wire.receive():
                self._cue = cue
                self._cued_at = time.monotonic()
            answer = self._follow(self._cue) if self._cue is not None else []
            if isinstance(answer, list):
                self._actor.await_for_any(self._actor.wait_readable(wire.fileno()), *answer)
            else:
                self._cue = None
                wire.send(answer)
        except Lost:  # the test waits no longer for this cue; it will say how to go on
            if self._wire is not None:
                self._wire.close()
            self._wire = self._cue = None

    def _connect(self) -> Wire | None:
        if self._path.exists():
            self._wire = connect(self._path)
            sent, taken = [tx.position() for tx in self._outputs], [rx.position() for rx in self._inputs]
            self._wire.send(Hello(self._actor.generation, sent, taken))
        return self._wire

    def _follow(self, cue: Cue) -> Answer | list[Condition]:
        """Do what the cue says as far as that goes; return the answer, or what to wait for before the next try."""
        match cue:
            case Echo():
                return self._echo(cue)
            case Close(lane):
                self._outputs[lane].mark_closed()
                self._actor.commit()
                return Done()
            case Show():
                return self._show(cue)
            case Take(lane, position):
                self._take(lane, position)
                self._actor.commit()
                return Done()
            case Leave(positions):
                return self._leave(positions)

    def _echo(self, cue: Echo) -> Answer | list[Condition]:
        tx = self._outputs[cue.lane]
        committed = tx.position()
        while (done := tx.position() - cue.position) < len(cue.values):
            moved = _Moved(tx)  # before the try: what happens behind it must not be overslept
            try:
                outcome = tx.try_send(pickle.loads(cue.values[done]))  # noqa: S301 - from our own test
            except Exception as error:  # noqa: BLE001 - whatever a value does when it is made again
                self._actor.commit()
                return Refused(_name_of(error), f"{type(error).__name__}: {error}")
            if outcome is SendOutcome.SENT:
                continue
            if tx.position() != committed:
                self._actor.commit()
                committed = tx.position()
            elif outcome is SendOutcome.CLOSED:
                why = f"channel {tx.name!r} is closed: by this actor, or its consumer has finished or was given up"
                return Refused(PeerGone.__name__, why)
            else:
                return [moved]
        self._actor.commit()
        return Done()

    def _show(self, cue: Show) -> Answer | list[Condition]:
        rx = self._inputs[cue.lane]
        moved = _Moved(rx)
        shown = self._look(cue.lane, cue.position, cue.most)
        left = cue.wait - (time.monotonic() - self._cued_at)
        if shown.values or shown.closed or left <= 0:
            return shown
        return [moved] if left == math.inf else [moved, self._actor.wait_timeout(left)]

    def _leave(self, positions: list[int]) -> Answer | list[Condition]:
        self._leaves = True
        for lane, position in enumerate(positions):
            self._take(lane, position)
        self._actor.commit()
        moved: list[Condition] = [_Moved(rx) for rx in self._inputs]
        for lane, position in enumerate(positions):
            shown = self._look(lane, position, _MOST_SHOWN)
            if shown.values:
                return shown
        self.is_over = all(rx.is_closed_and_empty() for rx in self._inputs)
        return Done() if self.is_over else moved

    def _take(self, lane: int, position: int) -> None:
        rx = self._inputs[lane]
        rx.take_slice(position - rx.position())

    def _look(self, lane: int, position: int, most: int) -> Shown:
        rx = self._inputs[lane]
        closed = rx.is_closed()  # first: what is there behind this look is all there is
        ahead = position - rx.position()
        values = rx.look(ahead + most)[ahead:]
        return Shown(
            lane, position, [pickle.dumps(value, pickle.HIGHEST_PROTOCOL) for value in values], closed and not values
        )


def _name_of(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, SteadyError) else ""
