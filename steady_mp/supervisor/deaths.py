"""Deaths: for each end of a life, what it was, how that is known, and what followed, as a report in the run directory.

The supervisor asks twice. `examine` looks at what the dead has left, before anything is mended; `tell` writes the
report once it is known what follows. The last lines of its log come a moment later, when its pipe was read to the end
(`complete`); nobody waits for them.
"""

from __future__ import annotations

import functools
import logging
import signal
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from steady_mp.events import ActorDied, ActorGivenUp, ChaosKilled
from steady_mp.log_format import SELF
from steady_mp.logs import LONGEST_LAST
from steady_mp.memory.deaths import LONGEST_TEXT, MOST_LINES, DeathReport, cut, write_report
from steady_mp.memory.status import CAUSES
from steady_mp.plan import actor_file
from steady_mp.supervisor.cause import cause_of
from steady_mp.supervisor.hand import in_hand
from steady_mp.supervisor.havoc import CAUSE
from steady_mp.supervisor.messages import LastWords
from steady_mp.supervisor.note import Note
from steady_mp.supervisor.oom import OomKills
from steady_mp.supervisor.stacks import top_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from steady_mp.logs import LogWriter
    from steady_mp.memory.mapping import Mapping
    from steady_mp.memory.rundir import RunDir
    from steady_mp.plan import Plan
    from steady_mp.supervisor.messages import Exited, Message
    from steady_mp.supervisor.seat import Seat

#: What the supervisor calls an end that it has brought about with the run's.
END_OF_RUN: Final = "end of the run"
#: Signals before which a process writes its stacks.
_FAULTS: Final = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}
_SPECIAL: Final = {"finished", END_OF_RUN}


def kind_of(cause: str) -> str:
    """Return the one of `CAUSES` that a death in the supervisor's words falls under."""
    if cause in CAUSES:
        return cause
    if cause.startswith(("SIG", "signal ")):
        return "signal"
    return "exit code" if cause.startswith("exit code ") else "exception"


@dataclass(slots=True, kw_only=True)
class Death:
    """One end of a life, as far as it is known before anything follows."""

    seat: Seat
    cause: str
    detail: str = ""
    #: What the life itself has said; None where it had no time to.
    note: Note | None = None
    stack: str = ""
    status: int | None = None
    pid: int | None = None
    generation: int
    at: float
    uptime: float | None = None
    cpu: float | None = None
    peak: int | None = None
    in_hand: dict[str, Any] | None = None
    #: The last commit before it: the next life may have begun, and have committed, when it is told.
    commit: int

    @property
    def hand(self) -> str:
        """What it had in hand, in a few words; empty for nothing."""
        if self.in_hand is None:
            return ""
        first, last = self.in_hand["first"], self.in_hand["last"]
        return f"{self.in_hand['channel']} {last}" if first == last else f"{self.in_hand['channel']} {first} to {last}"

    @property
    def renewal(self) -> int | None:
        """The exit status of an end that the life has planned itself, and told of; None for any other end."""
        return self.note.renewal if self.note is not None else None

    @property
    def is_hopeless(self) -> bool:
        """Whether the next life would only repeat it, by what the life itself has told."""
        return self.note is not None and self.note.hopeless

    @property
    def trace(self) -> str:
        """The traceback of its exception, else its stacks; empty where nobody could write any."""
        return (self.note.traceback if self.note is not None else "") or self.stack

    def event(self, pause: float) -> ActorDied:
        """Return what is told of it where another life follows in `pause` seconds."""
        return (ChaosKilled if self.cause == CAUSE else ActorDied)(
            actor=self.seat.name,
            generation=self.generation,
            cause=self.cause,
            detail=self.detail,
            in_hand=self.hand,
            pause=pause,
            commit=self.commit,
        )

    def last_event(self, *, isolated: bool) -> ActorGivenUp:
        """Return what is told of it where the actor is given up."""
        return ActorGivenUp(
            actor=self.seat.name,
            generation=self.generation,
            cause=self.cause,
            detail=self.detail,
            in_hand=self.hand,
            isolated=isolated,
        )


@dataclass(slots=True)
class _Told:
    index: int
    report: DeathReport
    lines: list[str] = field(default_factory=list)


def end_of_run(actor: str, why: list[str]) -> tuple[str, str, str]:
    """Return the verdict on a life that is killed with its run; `why` is what is known of the run's end."""
    about = [line for line in why if line.startswith(f"{actor} did not stop in time: ")]
    return END_OF_RUN, (about or why or ["the run ends"])[0], ""


class Deaths:
    """Finds out what the actors of a run die of. Only the supervisor's loop uses it."""

    def __init__(  # noqa: PLR0913, PLR0917 - made in one place
        self,
        run: RunDir,
        plan: Plan,
        channels: Sequence[Mapping],
        logs: LogWriter,
        post: Callable[[Message], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Write reports into the directory of `run`; the log says once that one could not be written."""
        self._directory = run.path
        self._plan = plan
        self._channels = channels
        self._logs = logs
        self._post = post
        self._clock = clock
        self._wall = wall
        self._oom = OomKills()
        self._born: dict[int, float] = {}
        #: Reports whose last lines have not come yet, by actor and generation.
        self._told: dict[tuple[int, int], _Told] = {}
        self._silent = False

    def born(self, seat: Seat) -> None:
        """A life has a process."""
        self._born[seat.index] = self._clock()

    def examine(self, seat: Seat, exited: Exited | None, verdict: tuple[str, str, str] | None = None) -> Death:
        """Find out what a life has died of: before `Seat.ended`, and before the next one begins.

        `verdict` is cause, detail and stack where the supervisor itself has ended it; what the life has said by then
        goes before. `exited` is None where nobody could tell how the process ended.
        """
        now = self._clock()
        death = Death(
            seat=seat,
            cause="",
            generation=seat.generation,
            at=self._wall(),
            pid=seat.pid,
            commit=seat.control.epoch,
        )
        if (born := self._born.pop(seat.index, None)) is not None:
            death.uptime = now - born
        death.note = Note.take(seat.note, seat.pid or 0)
        death.in_hand = in_hand(seat, self._plan, self._channels)
        if exited is not None:
            death.status, death.peak, death.cpu = exited.status, exited.peak, exited.cpu
        if death.note is not None and death.note.cause:
            death.cause, death.detail = death.note.cause, death.note.detail
        elif verdict is not None:
            death.cause, death.detail, death.stack = verdict
        elif exited is not None:
            self._read_status(death, exited.status)
        return death

    def _read_status(self, death: Death, status: int) -> None:
        death.cause = cause_of(status)
        death.detail = death.note.detail if death.note is not None else ""
        if status == -signal.SIGKILL and (sure := self._oom.explain()) is not None:
            death.cause, death.detail = "out of memory", sure
        elif -status in _FAULTS:
            death.stack = _read(self._directory / actor_file(death.seat.index, "fault"))
            where = top_frame(death.stack)
            death.detail = f"at {where}" if where else ""

    def tell(self, death: Death, then: str | float, kind: str | None = None) -> None:
        """Write the report, and ask for the last lines of the log.

        `then` is what follows; a number of seconds stands for another life after that pause.
        """
        seat = death.seat
        if not isinstance(then, str):
            when = f"{then:.2f} s later" if then else "at once"
            then = f"life {death.generation + 1} began {when} from commit {death.commit}"
        report = DeathReport(
            actor=seat.name,
            generation=death.generation,
            pid=death.pid,
            at=round(death.at, 3),
            cause=death.cause,
            detail=death.detail,
            kind=kind or (death.cause if death.cause in _SPECIAL else kind_of(death.cause)),
            status=death.status,
            traceback=death.note.traceback if death.note is not None else "",
            stack=cut(death.stack),
            in_hand=death.in_hand,
            uptime=None if death.uptime is None else round(death.uptime, 3),
            cpu=death.cpu,
            peak=death.peak,
            commit=death.commit,
            then=then,
        )
        self._told[seat.index, death.generation] = told = _Told(seat.index, report)
        self._write(told)
        fault = death.stack if -(death.status or 0) in _FAULTS else ""
        done = functools.partial(self._hear, seat.index, death.generation)
        self._logs.last_words(seat.name, death.generation, fault.rstrip(), done)

    def _hear(self, index: int, generation: int, lines: list[str]) -> None:
        """Take the last lines, on the thread that reads the log."""
        if (told := self._told.get((index, generation))) is not None:
            told.lines = lines
        self._post(LastWords(index, generation, lines))

    def complete(self, words: LastWords) -> None:
        """Add the last lines of a life to its report."""
        if (told := self._told.pop((words.actor, words.generation), None)) is not None:
            self._finish(told, words.lines)

    def close(self) -> None:
        """Add the lines that have come since the loop has ended."""
        for told in self._told.values():
            self._finish(told, told.lines)
        self._told.clear()

    def let_go(self) -> None:
        """Let go of the kernel's count: nobody dies any more."""
        self._oom.close()

    def _finish(self, told: _Told, entries: list[str]) -> None:
        said = told.report.traceback.rstrip()[:LONGEST_LAST]
        if said and entries[-1:] == [said]:
            entries = entries[:-1]  # it has the traceback already
        lines = [line for entry in entries for line in entry.splitlines() or [""]]
        if lines:
            told.report = replace(told.report, log=lines[-MOST_LINES:])
            self._write(told)

    def _write(self, told: _Told) -> None:
        try:
            write_report(self._directory, told.index, told.report)
        except OSError as error:
            if not self._silent:
                self._silent = True
                text = f"death reports can't be written to {self._directory}: {error.strerror}"
                self._logs.write(SELF, logging.ERROR, text)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(4 * LONGEST_TEXT).decode(errors="replace")
    except OSError:
        return ""
