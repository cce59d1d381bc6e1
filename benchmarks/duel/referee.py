"""Referee: kills by the seed's dice, watches the board, and says what became of a run."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from benchmarks.duel import WEDGED
from benchmarks.duel.board import CONSUMER, LIFE, PID, PRODUCER, RECEIVED, SEEN_LIFE, SEEN_NS, ScoreBoard

if TYPE_CHECKING:
    from collections.abc import Callable

#: Kills in a run.
KILLS: Final = 3
#: Seconds for which all goes well before a kill, at least and at most.
_CALM: Final = (0.05, 0.2)
#: Seconds between two looks at the board.
_LOOK: Final = 0.0005
#: Seconds that a process may take to start; longer, and the run failed for a reason that is not the queue's.
_START: Final = 15.0
#: Seconds between two messages in a run that is not under full load.
_PACE: Final = 0.001


@dataclass(frozen=True, slots=True)
class Script:
    """What happens in a run, drawn before it begins: pairs of a calm in seconds and whom it ends with."""

    strikes: tuple[tuple[float, int], ...]
    #: Seconds between two messages; 0 for full load.
    pace: float

    @classmethod
    def drawn(cls, seed: int) -> Script:
        """Draw the script of a seed."""
        dice = random.Random(seed)  # noqa: S311 - when to kill whom
        strikes = tuple((dice.uniform(*_CALM), dice.choice((PRODUCER, CONSUMER))) for _ in range(KILLS))
        return cls(strikes, _PACE if seed % 2 else 0.0)


@dataclass(slots=True)
class Result:
    """What became of a run."""

    wedged: bool = False
    #: How a process ended that nobody had killed; None when none did.
    crashed: str | None = None
    lost: int = 0
    doubled: int = 0
    #: Nanoseconds from each kill to the next message.
    nanoseconds: list[int] = field(default_factory=list)


class WedgedError(Exception):
    """No message arrives any more."""


class CrashedError(Exception):
    """A process ended by itself."""


class Side(Protocol):
    """What the referee needs of a contestant's processes."""

    def tend(self) -> None:
        """Replace what was killed. Raises CrashedError for a process that nobody has killed."""

    def expect(self, who: int) -> None:
        """Hear that `who` is about to be killed."""


class Referee:
    """Looks after one run."""

    def __init__(self, board: ScoreBoard, side: Side) -> None:
        """Watch `board`, and have `side` look after its processes."""
        self._board = board
        self._side = side
        self._received = 0
        self._moved_at = time.monotonic()

    def kill(self, script: Script, result: Result) -> None:
        """Let the strikes of `script` fall. Raises WedgedError and CrashedError."""
        words = self._board.words
        self._until(lambda: bool(words[RECEIVED]))
        for calm, who in script.strikes:
            self._until(functools.partial(_has_come, time.monotonic() + calm))
            life, pid = words[LIFE + who], words[PID + who]
            self._side.expect(who)
            struck = time.perf_counter_ns()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._until(functools.partial(self._has_arrived, who, life))
            result.nanoseconds.append(words[SEEN_NS + who] - struck)

    def _has_arrived(self, who: int, life: int) -> bool:
        return bool(self._board.words[SEEN_LIFE + who] > life)

    def see_to_the_end(self, over: Callable[[], bool]) -> None:
        """Wait until the run is `over`. Raises WedgedError and CrashedError."""
        self._until(over)

    def _until(self, over: Callable[[], bool]) -> None:
        words = self._board.words
        self._moved_at = time.monotonic()
        began = self._moved_at
        while not over():
            self._side.tend()
            now = time.monotonic()
            if words[RECEIVED] != self._received:
                self._received = words[RECEIVED]
                self._moved_at = now
            if not self._is_up():
                self._moved_at = now
                if now - began > _START:
                    message = f"a process did not start in {_START:g} s"
                    raise TimeoutError(message)
            elif now - self._moved_at > WEDGED:
                message = f"no message for {WEDGED:g} s"
                raise WedgedError(message)
            time.sleep(_LOOK)

    def _is_up(self) -> bool:
        """Tell whether both processes of the board are there: a replacement is when it has said so."""
        words = self._board.words
        return all(_is_alive(words[PID + who]) for who in (PRODUCER, CONSUMER))


def _has_come(moment: float) -> bool:
    return time.monotonic() >= moment


def _is_alive(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
