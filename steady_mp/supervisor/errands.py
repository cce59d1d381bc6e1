"""Errands: what a command asks of a living run that no signal can say.

The command leaves a file in the run directory and rings the supervisor's doorbell; the supervisor does what it says,
leaves an answer beside it, and takes the question away. Both are whole or not there at all, and a question that nobody
has answered is done by the next supervisor of a durable run, so whoever asks may be killed at any instant, and so may
the supervisor: each errand can be repeated without harm.
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any, Final

from steady_mp.errors import ExitCode
from steady_mp.events import ActorRevived
from steady_mp.log_format import SELF
from steady_mp.memory import layout
from steady_mp.memory.files import replace
from steady_mp.policy import Failures
from steady_mp.supervisor.seat import Status

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.logs import LogWriter
    from steady_mp.supervisor.seat import Seat
    from steady_mp.supervisor.supervisor import Supervisor

FOLDER: Final = "errands"
ASKED: Final = ".asked"
ANSWERED: Final = ".answered"


class Errands:
    """Does what is asked, on the supervisor's thread."""

    def __init__(self, directory: Path, supervisor: Supervisor, logs: LogWriter) -> None:
        """Look for errands in the run directory."""
        self._path = directory / FOLDER
        self._supervisor = supervisor
        self._logs = logs
        self._said: set[str] = set()

    def look(self) -> None:
        """Do whatever is asked and not answered yet. No errand ends the run; what the system refuses is said once."""
        try:
            with os.scandir(self._path) as entries:
                names = sorted(entry.name for entry in entries)
            for name in names:
                if name.endswith(ASKED):
                    self._answer(self._path / name)
        except FileNotFoundError:
            pass  # nobody has asked for anything
        except OSError as error:
            text = f"errands in {self._path} can't be done: {error.strerror}"
            if text not in self._said:
                self._said.add(text)
                self._logs.write(SELF, logging.ERROR, text)

    def _answer(self, question: Path) -> None:
        try:
            data = question.read_bytes()
        except FileNotFoundError:
            return  # taken back: whoever asked has given up
        try:
            asked: dict[str, Any] = json.loads(data)
            answer = {"done": True, "text": self._do(asked)}
        except _Refused as refusal:
            answer = {"done": False, "text": str(refusal)}
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            answer = {"done": False, "text": f"it can't be done: {type(error).__name__}: {error}"}
        replace(question.with_suffix(ANSWERED), json.dumps(answer).encode())
        question.unlink(missing_ok=True)

    def _do(self, asked: dict[str, Any]) -> str:
        if self._supervisor.killing:
            raise _Refused("the run is being stopped")
        if asked["errand"] == "revive":
            return self._revive(self._supervisor.seats[asked["actor"]], skip_head=bool(asked["skip_head"]))
        if asked["errand"] == "replay":
            return self._replay(asked["channel"], [int(position) for position in asked["positions"]])
        raise _Refused(f"there is no errand {asked['errand']!r} in this version of steady-mp")

    # Revive

    def _revive(self, seat: Seat, *, skip_head: bool) -> str:
        supervisor = self._supervisor
        if seat.status is Status.FINISHED:
            raise _Refused(f"{seat.name} has finished: its channels are closed for good; start the graph anew")
        if seat.status is not Status.GIVEN_UP:
            raise _Refused(f"{seat.name} is not given up: it is {seat.status.value}")
        skipped = self._skip_heads(seat) if skip_head else []
        supervisor.emit(ActorRevived(actor=seat.name, generation=seat.generation))
        given_up = f"{seat.name} was given up "
        supervisor.why = [each for each in supervisor.why if not each.startswith(given_up)]
        if not supervisor.why:
            supervisor.exit_code = ExitCode.DRAINED
        seat.failures = Failures(seat.failures.policy, seat.failures.clock)
        seat.ended()  # its journal says which of its ends are open
        supervisor.spawn(seat)
        for other in supervisor.seats:
            other.bell.ring()
        first = f"; {', '.join(skipped)} went to the dead letters" if skipped else ""
        return f"{seat.name} begins life {seat.generation} from its last commit{first}"

    def _skip_heads(self, seat: Seat) -> list[str]:
        """Put the message aside that the actor had in hand at its last deaths, else the next one of each input."""
        quarantine = self._supervisor.quarantine
        skipped = []
        for suspect in quarantine.heads(seat):
            quarantine.put_aside(seat, suspect)
            name = self._supervisor.plan.channels[suspect.channel].name
            first, last = suspect.first % layout.LETTER, suspect.last % layout.LETTER
            what = f"message {last}" if first == last else f"messages {first} to {last}"
            skipped.append(f"{what} of {name}")
        if not skipped:
            raise _Refused(
                f"{seat.name} has no message to skip: its inputs are empty, or lanes, whose messages can't be put aside"
            )
        return skipped

    # Replay

    def _replay(self, channel: int, positions: list[int]) -> str:
        supervisor = self._supervisor
        plan = supervisor.plan.channels[channel]
        seat = supervisor.seats[plan.consumer]
        letters = supervisor.quarantine.letters
        if seat.is_over:
            raise _Refused(f"{seat.name}, which takes from {plan.name}, is {seat.status.value}: nobody would take it")
        # Before it settles: a letter that is taken meanwhile is on its way, and must not be ordered once more.
        done = supervisor.quarantine.done(seat, channel)
        supervisor.quarantine.settle(seat)
        orders = letters.orders(channel)
        waiting = orders[done:]
        wanted = []
        named = dict.fromkeys(positions)  # each once: a second order of a letter would deliver it a second time
        for position in named:
            try:
                letter = letters.read(channel, position)
            except FileNotFoundError:
                raise _Refused(f"message {position} of {plan.name} is no dead letter, or none any more") from None
            if letter.policy == "skip":
                raise _Refused(f"message {position} of {plan.name} was dropped, as the channel's policy says")
            if position not in waiting:
                wanted.append(position)
        if wanted:
            letters.order(channel, [*orders, *wanted])
            seat.renew()
        already = f", {len(named) - len(wanted)} on their way already" if len(wanted) < len(named) else ""
        return f"{len(wanted)} dead letters of {plan.name} go to {seat.name}, before anything else it takes{already}"


class _Refused(Exception):
    """The errand can't be done; why."""
