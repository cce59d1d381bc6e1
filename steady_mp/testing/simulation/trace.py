"""Trace: what happened in a simulated run, step by step; the same text for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steady_mp.memory.control import Cursor
    from steady_mp.plan import Plan


#: What a failure hangs on, more often than not; and how many entries before and behind it tell the story.
_TURNING_POINTS: Final = {"killed", "switch", "shutdown requested"}
_AROUND: Final = 6


class Entry(NamedTuple):
    """One thing that happened; `detail` is text, or the cursors of a commit."""

    step: int
    time: float
    actor: str
    what: str
    detail: str | tuple[Cursor, ...]


class Trace:
    """All entries of a run. ``str`` gives them as text, a line each; iterating gives those lines."""

    def __init__(self, plan: Plan) -> None:
        """Begin an empty trace of a run of `plan`."""
        self._plan = plan
        self._entries: list[Entry] = []
        self._indexes = {actor.name: index for index, actor in enumerate(plan.actors)}
        self._width = max(len(name) for name in self._indexes)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def note(self, step: int, time: float, actor: str, what: str, detail: str | tuple[Cursor, ...] = "") -> None:
        """Add an entry."""
        self._entries.append(Entry(step, time, actor, what, detail))

    def __iter__(self) -> Iterator[str]:
        """Go through the lines."""
        known: dict[str, Sequence[Cursor]] = {}
        for step, time, actor, what, detail in self._entries:
            if not isinstance(detail, str):
                before, known[actor] = known.get(actor, ()), detail
                detail = self._moves(self._indexes[actor], before, detail)  # noqa: PLW2901 - text from here on
            yield f"{step:>8} {time:>13.8f}  {actor:<{self._width}}  {what}{detail and ': '}{detail}".rstrip()

    def _moves(self, actor: int, before: Sequence[Cursor], now: Sequence[Cursor]) -> str:
        """Say what a commit sent, took and closed."""
        moves = []
        for position, cursor in enumerate(now):
            end = self._plan.actors[actor].ends[position]
            was = before[position] if before else (0, 0, 0)
            name = self._plan.channels[end.channel].name
            if moved := cursor.messages - was[0]:
                moves.append(f"{'sent' if end.sends else 'took'} {moved} of {name} (now {cursor.messages})")
            if cursor.closed and not was[2]:
                moves.append(f"closed {name}")
        return ", ".join(moves) or "state only"

    def __str__(self) -> str:
        return "\n".join(self)

    def excerpt(self, lines: int) -> str:
        """Return what surrounds each kill and switch, and the end: at most about so many lines."""
        every = list(self)
        last = len(every) - lines // 2
        shown = set(range(max(0, last), len(every)))
        for index in reversed([n for n, entry in enumerate(self._entries) if entry.what in _TURNING_POINTS]):
            around = set(range(max(0, index - _AROUND), min(len(every), index + _AROUND)))
            if len(shown | around) > lines:
                break
            shown |= around
        parts = []
        before = -1
        for index in sorted(shown):
            if index != before + 1:
                parts.append(f"         … {index - before - 1} entries left out …")
            parts.append(every[index])
            before = index
        return "\n".join(parts)
