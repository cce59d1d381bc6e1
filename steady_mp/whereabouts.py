"""Whereabouts of each actor and each channel of a run, and who waits for whom, told by its shared words alone.

Nothing here asks a process: it works for a run that goes on, for one in which nothing moves, and for what is left of a
dead one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from steady_mp.cycles import blocked_cycles
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.memory.control import ControlBlock
    from steady_mp.plan import Plan

_ELSE: Final = "a time, a descriptor or a shutdown"
_NS: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Shared:
    """The words of a run, mapped by whoever looks."""

    plan: Plan
    controls: Sequence[ControlBlock]
    channels: Sequence[memoryview]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the words of an actor can't tell: how its supervisor sees it, and how the system sees its process.

    `status` is the supervisor's word for it: starting, running, restarting, finished, given up.
    """

    status: str
    is_stopped: bool = False
    #: There was a process, and now there is none, because the supervisor is gone.
    is_dead: bool = False


class Wanted(NamedTuple):
    """What a sleeping actor asked to be woken for: that the other end of `channel` comes to `threshold`."""

    channel: int
    sends: bool
    threshold: int


def wanted_by(shared: Shared, actor: int) -> list[Wanted]:
    """Read the thresholds in the headers of an actor's channels."""
    found = []
    for end in shared.plan.actors[actor].ends:
        threshold = shared.channels[end.channel][layout.WAKE_HEAD if end.sends else layout.WAKE_TAIL]
        if threshold != layout.NEVER:
            found.append(Wanted(end.channel, end.sends, threshold))
    return found


def describe_phase(shared: Shared, actor: int, now: float | None) -> str:
    """Say what an actor is at, and since when where `now` is the monotonic time of its machine."""
    words = shared.controls[actor].words
    if words[layout.DEBUGGED]:
        return "in the debugger, or waiting for one"
    if words[layout.PHASE] == layout.PHASE_STARTING:
        return "starting"
    if words[layout.PHASE] != layout.PHASE_WAITING:
        return "busy in its own code"
    since = "" if now is None else f" since {max(0.0, now - words[layout.WAIT_SINCE_NS] * _NS):.1f} s"
    wanted = []
    for channel, sends, threshold in wanted_by(shared, actor):
        kind, cursor = ("room", "taken") if sends else ("messages", "sent")
        wanted.append(f"{kind} in {shared.plan.channels[channel].name} (until {threshold} are {cursor})")
    return f"waiting{since} for {' or '.join(wanted) or _ELSE}"


def describe_channel(shared: Shared, index: int) -> str:
    """Say where all cursors of a channel stand."""
    words = shared.channels[index]
    taken = words[layout.HEAD]  # first: the tail is only ever ahead of it
    sent = words[layout.TAIL]
    parts = [
        f"sent {sent}, taken {taken}, in flight {sent - taken} of {words[layout.CH_CAPACITY]}",
        f"bytes {words[layout.TAIL_POS] - words[layout.HEAD_POS]} of {words[layout.CH_RING_BYTES]}",
    ]
    for name in ("WAKE_TAIL", "WAKE_HEAD", "TX_HELD", "TX_STUCK", "RX_HELD"):
        value = words[getattr(layout, name)]
        if value not in {0, layout.NEVER}:
            parts.append(f"{name} {value}")
    parts += ["closed by its producer"] * bool(words[layout.TX_CLOSED])
    parts += ["closed by its consumer"] * bool(words[layout.RX_CLOSED])
    return ", ".join(parts)


def explain(shared: Shared, seen: Sequence[Seen], now: float | None) -> list[str]:
    """Say in whole sentences what each actor waits for, and where that begins.

    First the deadlocks, then the actors that others wait for and that themselves wait for nobody, then every actor.
    """
    plan = shared.plan
    controls = [control.words for control in shared.controls]
    lines = [
        f"DEADLOCK: {cycle.way}: each of them waits for room in the next one's channel "
        f"({', '.join(cycle.channels)}), and all of these are full. Nothing in this circle moves by itself again."
        for cycle in blocked_cycles(plan, controls, shared.channels)
    ]
    waits = {index: _waits_of(shared, index, each) for index, each in enumerate(seen)}
    for root, ways in _roots(waits).items():
        if each := [" waits for ".join(plan.actors[index].name for index in way) for way in ways]:
            name = plan.actors[root].name
            lines.append(f"{'; '.join(each)}. It begins with {name}: {_state(shared, root, seen[root], now)}.")
    if lines:
        lines.append("")
    for index, actor in enumerate(plan.actors):
        reasons = [_reason(shared, each) for each in _hopes(shared, index, seen[index])]
        told = f"{actor.name}: {_state(shared, index, seen[index], now)}"
        lines.append("; ".join([told, *reasons]) + ".")
    return lines


def _hopes(shared: Shared, actor: int, seen: Seen) -> list[Wanted]:
    """Return what an actor sleeps for and has not got."""
    asleep = shared.controls[actor].words[layout.PHASE] == layout.PHASE_WAITING
    if seen.status != "running" or seen.is_stopped or not asleep:
        return []
    cursors = {True: layout.HEAD, False: layout.TAIL}
    return [each for each in wanted_by(shared, actor) if shared.channels[each.channel][cursors[each.sends]] < each[2]]


def _waits_of(shared: Shared, actor: int, seen: Seen) -> list[int]:
    """Return the actors that would have to do something before this one goes on."""
    channels = shared.plan.channels
    return [
        channels[each.channel].consumer if each.sends else channels[each.channel].producer
        for each in _hopes(shared, actor, seen)
    ]


def _roots(waits: dict[int, list[int]]) -> dict[int, list[list[int]]]:
    """Return whom the others wait for in the end, each with the ways that lead to it (the longest of each start)."""
    roots: dict[int, list[list[int]]] = {}
    awaited = {other for others in waits.values() for other in others}
    for start in waits:
        way = [start]
        while waits[way[-1]] and (onward := waits[way[-1]][0]) not in way:
            way.append(onward)
        if len(way) > 1 and not waits[way[-1]] and start not in awaited:
            roots.setdefault(way[-1], []).append(way)
    return roots


def _state(shared: Shared, actor: int, seen: Seen, now: float | None) -> str:
    if seen.status != "running":
        return f"it is {seen.status}"
    words = f"it is {describe_phase(shared, actor, now)}"
    if refusal := shared.controls[actor].refusal:
        words += f"; it refuses to stop: {refusal}"
    if seen.is_dead:
        return words.replace("it is", "it ended with its supervisor while", 1)
    return f"its process is stopped (SIGSTOP), {words}" if seen.is_stopped else words


def _reason(shared: Shared, wanted: Wanted) -> str:
    """Say why a wish is not met, and who could."""
    plan = shared.plan.channels[wanted.channel]
    words = shared.channels[wanted.channel]
    taken = words[layout.HEAD]
    in_flight = words[layout.TAIL] - taken
    if wanted.sends:
        fill = "full" if in_flight >= plan.capacity else "too full"
        other = shared.plan.actors[plan.consumer].name
        return f"{plan.name} is {fill} ({in_flight} of {plan.capacity}) and {other} would have to take"
    fill = f"has {in_flight} messages, too few," if in_flight else "is empty"
    other = shared.plan.actors[plan.producer].name
    return f"{plan.name} {fill} and {other} would have to send"
