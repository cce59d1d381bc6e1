"""Standstill: whether what a turn waits for in its middle waits, in its turn, for what that turn holds back.

Neighbours that are only connected are mostly slow, as around each worker of a pool, and a torn turn that is killed has
lost what it had taken. So it is asked of the shared words, which say of each actor that sleeps what it sleeps for: a
chain of such waits that comes back to this actor is a standstill. Nothing in it can move before one of them gives way.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from steady_mp.plan import Plan


class _Need(NamedTuple):
    """A cursor of a channel that somebody sleeps for: who has to move it, how far it is, and how far it has to come."""

    channel: int
    whose: int
    now: int
    wanted: int


class Standstill:
    """Looks at the words of every actor and of every channel of a run, in the order of the plan."""

    __slots__ = ("_channels", "_controls", "_everybody", "_me", "_plan")

    def __init__(
        self, plan: Plan, me: int, everybody: Callable[[], tuple[Sequence[memoryview], Sequence[memoryview]]]
    ) -> None:
        """See the run as the actor number `me` does; `everybody` is asked for all words once, when they are needed."""
        self._plan = plan
        self._me = me
        self._everybody = everybody
        self._controls: Sequence[memoryview] = ()
        self._channels: Sequence[memoryview] = ()

    def has_come(self, end: int, held: Sequence[int], *, choosy: bool) -> bool:
        """Tell whether a wait at this actor's end number `end` can't end before a commit of what is staged at `held`.

        Who is woken by one of several things is taken to stand still only if `choosy`: another of them may be on
        its way.
        """
        if not self._controls:
            self._controls, self._channels = self._everybody()
        ends = self._plan.actors[self._me].ends
        start, needed = self._plan.peer(ends[end]), {ends[each].channel for each in held}
        chain = self._chain(start, needed, choosy=choosy)
        # Each link was seen at a moment of its own. Cursors only grow, so what is there again was there in between.
        return chain is not None and chain == self._chain(start, needed, choosy=choosy)

    def _chain(self, start: int, needed: Collection[int], *, choosy: bool) -> list[_Need] | None:
        """Return the shortest chain of waits from an actor back to this one, for one of the channels `needed`."""
        came: dict[int, list[_Need]] = {start: [], self._me: []}
        line = deque([start])
        while line:
            here = line.popleft()
            for need in self._needs(here, choosy=choosy):
                chain = [*came[here], need]
                if need.whose == self._me and need.channel in needed:
                    return chain
                if need.whose not in came:
                    came[need.whose] = chain
                    line.append(need.whose)
        return None

    def _needs(self, actor: int, *, choosy: bool) -> Iterator[_Need]:
        """Yield what an actor sleeps for; nothing for one that works, or that only time will wake."""
        control = self._controls[actor]
        ways = control[layout.OTHER_WAYS]
        if control[layout.PHASE] != layout.PHASE_WAITING or ways == layout.GIVES_WAY or (ways and not choosy):
            return
        for end in self._plan.actors[actor].ends:
            words, plan = self._channels[end.channel], self._plan.channels[end.channel]
            if end.sends:
                need = _Need(end.channel, plan.consumer, words[layout.HEAD], words[layout.WAKE_HEAD])
            else:
                need = _Need(end.channel, plan.producer, words[layout.TAIL], words[layout.WAKE_TAIL])
            if need.now < need.wanted < layout.NEVER and not words[layout.RX_CLOSED if end.sends else layout.TX_CLOSED]:
                yield need
