"""Cycles of channels: where messages can go round, and everybody can come to wait for room at once."""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steady_mp.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Actors that send to one another in a circle."""

    #: Their names, from the one that was declared first, in the direction of the messages.
    actors: tuple[str, ...]
    #: The channels between them, all of them where two actors have several.
    channels: tuple[str, ...]
    #: Messages that these channels hold together.
    capacity: int

    @property
    def way(self) -> str:
        """The actors in a line that ends where it begins."""
        return " → ".join((*self.actors, self.actors[0]))


def cycles_of(plan: Plan) -> list[Cycle]:
    """Return the cycles of a graph: for each channel that is part of one, the shortest that it is part of.

    Each is returned once, in the order of the actors' declaration. There can be more, made of these; their number
    grows with the powers of two, and whoever mends these has mended them all.
    """
    leads: dict[int, set[int]] = {index: set() for index in range(len(plan.actors))}
    for channel in plan.channels:
        leads[channel.producer].add(channel.consumer)
    found: set[tuple[int, ...]] = set()
    for start, nexts in leads.items():
        for following in nexts:
            way = _way(leads, following, start)
            if way:
                first = way.index(min(way))
                found.add((*way[first:], *way[:first]))
    return [_cycle(plan, each) for each in sorted(found)]


def blocked_cycles(
    plan: Plan, controls: Sequence[memoryview], channels: Sequence[memoryview], *, draining: bool = False
) -> list[Cycle]:
    """Return the cycles in which every actor sleeps until there is room in the next one's channel.

    `controls` and `channels` are the words of each actor's control block and of each channel's header. While such
    a cycle has just come about, a ring may still be on its way; one that is there at two looks, with nothing moved
    in between (`moves_of` is the same), stays. An actor that something else wakes as well (a timer, another channel)
    is part of none. At the end of a shutdown (`draining`) all waits are for anything: a full channel will do then.
    """
    stuck = [
        channel
        for index, channel in enumerate(plan.channels)
        if _waits_for_room(plan, index, controls[channel.producer], channels[index], draining=draining)
    ]
    return cycles_of(dataclasses.replace(plan, channels=tuple(stuck)))


def moves_of(plan: Plan, cycle: Cycle, channels: Sequence[memoryview]) -> tuple[tuple[int, int], ...]:
    """Return what changes with each message that a channel of the cycle takes or gives."""
    return tuple(
        (words[layout.HEAD], words[layout.TAIL])
        for each, words in zip(plan.channels, channels, strict=True)
        if each.name in cycle.channels
    )


def _waits_for_room(plan: Plan, index: int, control: memoryview, words: memoryview, *, draining: bool) -> bool:
    """Tell whether the producer of a channel sleeps for room in it, and nothing else would help."""
    if control[layout.PHASE] != layout.PHASE_WAITING or words[layout.RX_CLOSED]:
        return False
    wanted = words[layout.WAKE_HEAD]
    if wanted == layout.NEVER:
        return False
    if draining:
        return words[layout.TAIL] - words[layout.HEAD] >= plan.channels[index].capacity
    # What its consumer holds back in the middle of a turn comes free as soon as that one hears that it is needed.
    return not control[layout.OTHER_WAYS] and max(words[layout.HEAD], words[layout.RX_HELD]) < wanted


def _way(leads: Mapping[int, set[int]], start: int, goal: int) -> list[int]:
    """Return the shortest way from `start` to `goal`, both included; nothing where there is none."""
    came: dict[int, int | None] = {start: None}
    line = deque([start])
    while line and goal not in came:
        here = line.popleft()
        for there in sorted(leads[here] - came.keys()):
            came[there] = here
            line.append(there)
    way: list[int] = []
    here_or_none: int | None = goal if goal in came else None
    while here_or_none is not None:
        way.append(here_or_none)
        here_or_none = came[here_or_none]
    return way[::-1]


def _cycle(plan: Plan, way: tuple[int, ...]) -> Cycle:
    hops = set(zip(way, (*way[1:], way[0]), strict=True))
    channels = [each for each in plan.channels if (each.producer, each.consumer) in hops]
    return Cycle(
        actors=tuple(plan.actors[index].name for index in way),
        channels=tuple(each.name for each in channels),
        capacity=sum(each.capacity for each in channels),
    )
