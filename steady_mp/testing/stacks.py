"""Stacks: what every actor of a run is doing at this moment, line by line of its code.

An actor's process answers SIGQUIT with the stacks of its threads, in its log. Nothing marks the end of such
an answer, so each is asked twice: what stands before the second one is the first one, and is whole.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from steady_mp.memory import layout
from steady_mp.supervisor.seat import Status
from steady_mp.testing.positions import is_stopped
from steady_mp.testing.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Run
    from steady_mp.supervisor.seat import Seat
    from steady_mp.testing.lines import Lines

_PATIENCE: Final = 2.0
_STAMP: Final = 12
_HEAD: Final = re.compile(r"(?:Current t|T)hread 0x")
_FRAME: Final = re.compile(r"  (?:File |<|\.\.\.)")
#: From here on every actor's stack is the same, and says nothing.
_ROOT: Final = re.compile(r'  File ".*steady_mp.life\.py", line \d+ in live$')


def stacks(run: Run, lines: Lines, ask: Callable[[str], None], seconds: float = _PATIENCE) -> str:
    """Return all stacks of all actors; blocks until they have answered, for `seconds` at most.

    `ask` sends SIGQUIT to the actor that it is given; the answers come through `lines`.
    """
    seats = run._supervisor.seats  # noqa: SLF001 - what nobody but a test looks at
    width = max(len(seat.name) for seat in seats)
    silent = {seat.name: why for seat in seats if (why := _why_not(seat)) is not None}
    marks = {seat.name: f" {_label(seat):<{width}} " for seat in seats if seat.name not in silent}
    before = lines.count
    asked = [(seat, seat.pid, marks[seat.name]) for seat in seats if seat.name in marks]

    def answered(number: int) -> bool:
        return all(seat.pid != pid or _answers(lines, before, mark) >= number for seat, pid, mark in asked)

    for number in (1, 2):
        for seat, _, _ in asked:
            ask(seat.name)
        eventually(functools.partial(answered, number), seconds / 2)
    gone = {seat.name: "its process has ended meanwhile" for seat, pid, _ in asked if seat.pid != pid}
    told = []
    for seat in seats:
        answer = _first(_said(lines, before, marks[seat.name])) if seat.name in marks else [silent[seat.name]]
        answer = answer or [gone.get(seat.name, f"no answer within {seconds:g} s")]
        told += [f"  {seat.name}:", *(f"    {line}" for line in answer)]
    return "\n".join(told)


def _label(seat: Seat) -> str:
    return seat.name if seat.generation == 1 else f"{seat.name}#{seat.generation}"


def _why_not(seat: Seat) -> str | None:
    """Say why an actor can't answer; None where it can."""
    if seat.status is not Status.RUNNING or seat.pid is None:
        return f"no process: it is {seat.status.value}"
    if is_stopped(seat.pid):
        return "stopped (SIGSTOP)"
    if seat.control.words[layout.PHASE] == layout.PHASE_STARTING:
        return "starting"  # it may not have got so far that the signal does not kill it
    return None


def _said(lines: Lines, before: int, mark: str) -> list[str]:
    """Return what an actor has said about its stacks since."""
    found = [line[_STAMP + len(mark) :] for line in lines.since(before) if line.startswith(mark, _STAMP)]
    return [line for line in found if _HEAD.match(line) or _FRAME.match(line)]


def _answers(lines: Lines, before: int, mark: str) -> int:
    """Count the answers that have at least begun: each begins with the same thread."""
    said = _said(lines, before, mark)
    return said.count(said[0]) if said else 0


def _first(said: list[str]) -> list[str]:
    """Return the first answer, up to where its first line comes again, without what is below every behavior."""
    answer = []
    below = False
    for line in said[: said.index(said[0], 1)] if said and said.count(said[0]) > 1 else said:
        below = not _HEAD.match(line) and (below or _ROOT.match(line) is not None)
        if not below:
            answer.append(line)
    return answer
