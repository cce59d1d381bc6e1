"""Actor: what a behavior is handed to control its own run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from steady_mp.channel.endpoints import Rx
from steady_mp.conditions import AllOf, AnyOf, Periodic, Readable, Shutdown, Timeout
from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from steady_mp.channel.bundle import LaneCondition
    from steady_mp.channel.waits import Alarm
    from steady_mp.conditions import Condition
    from steady_mp.memory.control import ControlBlock
    from steady_mp.turn import Turn

#: What `await_for_all` waits for where it is told of no condition.
_NOTHING: Final = AllOf(())


class Actor:
    """One actor in one of its lives. Only the thread that runs the behavior may use it."""

    __slots__ = (
        "_clock",
        "_control",
        "_inputs",
        "_looks",
        "_periods",
        "_refused",
        "_run",
        "_start",
        "_turn",
        "_veto",
        "generation",
        "log",
        "name",
    )

    def __init__(  # noqa: PLR0913 - keyword only; made in one place
        self,
        *,
        name: str,
        generation: int,
        turn: Turn,
        control: ControlBlock,
        run: memoryview,
        clock: Callable[[], float],
    ) -> None:
        """Join the parts; the runtime does this."""
        #: The actor's name in its graph.
        self.name = name
        #: Which life this is: 1 at first, one more after each restart.
        self.generation = generation
        #: A logger named after the actor; `logging` and `print` work as well.
        self.log = logging.getLogger(name)
        self._turn = turn
        self._control = control
        self._run = run
        self._clock = clock
        self._start = run[layout.START_NS] / 1e9
        self._inputs: list[Rx[object]] | None = None
        self._periods: dict[float, Periodic] = {}
        self._refused = bool(control.refusal)  # by the life before
        self._veto: Callable[[], str | None] | None = None
        self._looks: dict[Hashable, tuple[bool, tuple[tuple[int, ...], ...]]] = {}

    # The loop

    def is_running(self, veto: Callable[[], str | None] | None = None) -> bool:
        """End the turn and tell whether the behavior should go on: the head of its loop.

        It is a commit point (the commit may be put off for about a millisecond while no neighbour
        waits for it). It answers False once every input is closed and empty; an actor without inputs
        stops as soon as a shutdown is requested. `veto` is asked last: the reason to go on, or None; a
        wait asks it again before it sleeps where everything else has come to its end.
        Never blocks. Raises StateError when the state can't be pickled or saved, and TypeError for another answer
        of `veto`.
        """
        turn = self._turn
        left = turn.left
        if left:
            turn.left = left - 1
            turn.touched = False
            return True
        return turn.glance() or self._look_up(veto)

    def _look_up(self, veto: Callable[[], str | None] | None) -> bool:
        turn = self._turn
        turn.end()
        draining = bool(self._run[layout.SHUTDOWN])
        if draining:
            turn.stay_alert()
        over = self._has_nothing_left(draining=draining)
        self._veto = veto
        reason = self._reason() if over else None
        if self._refused or reason is not None:
            self._refused = reason is not None
            if (reason or "") != self._control.refusal:
                self._control.refusal = reason or ""
        return not over or reason is not None

    def _has_nothing_left(self, *, draining: bool) -> bool:
        inputs = self._inputs
        if inputs is None:
            inputs = self._inputs = [end for end in self._turn.ends if isinstance(end, Rx)]
        for rx in inputs:
            if not rx.is_closed_and_empty():
                return False
        return draining or bool(inputs)

    def commit(self) -> None:
        """Commit now what this turn has staged. Never blocks; raises StateError like `is_running`."""
        self._turn.commit()

    def request_shutdown(self) -> None:
        """Ask for the graph to be drained and stopped, as part of this turn: it holds once that commits."""
        self._turn.request_shutdown()

    # Waits

    def await_for_all(self, condition: Condition = _NOTHING, /, *others: Condition) -> bool:
        """Wait until all conditions hold at the same time.

        Returns True when they do. Returns False when a shutdown ends the wait, or when they can't
        hold any more (an input closed with too few messages, or its ring full of too few): once, and
        again after something has changed (at one of the actor's channels, or a shutdown was
        requested); until then it sleeps, so that draining never spins.
        A wait that has to block is a commit point.
        """
        if not condition.holds():  # most waits are for one condition, and cost two thirds of what they do in a loop
            return self._await(AllOf((condition, *others)) if others else condition, looked=True)
        counts = condition.counts
        if others:
            for other in others:
                if not other.holds():
                    return self._await(AllOf((condition, *others)), looked=True)
                counts = counts or other.counts
        if counts:
            condition.passed()
            for other in others:
                other.passed()
        return True

    def await_for_any(self, *conditions: Condition) -> bool:
        """Wait until at least one condition holds; otherwise like `await_for_all`."""
        return self._await(AnyOf(conditions))

    def await_for_all_or_proceed_upon(self, upon: Condition, *conditions: Condition) -> bool:
        """Wait until `upon` holds, or all the others do; otherwise like `await_for_all`."""
        return self._await(AnyOf((upon, AllOf(conditions))))

    def await_for_lane(self, condition: LaneCondition) -> int | None:
        """Wait until a lane of a bundle is ready and return its index, fair in turn; None for False.

        Otherwise like `await_for_all`.
        """
        return condition.lane() if self._await(condition) else None

    def _await(self, condition: Condition, *, looked: bool = False) -> bool:
        """Wait; `looked` says that the condition did not hold a moment ago."""
        while True:
            if not looked and condition.holds():
                condition.passed()
                return True
            looked = False
            draining = bool(self._run[layout.SHUTDOWN])
            hopeless = draining or condition.impossible()
            mark = self._mark() if hopeless else ()
            if hopeless and (self._looks.get(condition.key) != (draining, mark) or self._may_stop(draining=draining)):
                self._looks[condition.key] = (draining, mark)
                # Whether anything is left to do is for the next is_running to see, at once: another
                # wait would sleep until something changes, and nothing may ever change again.
                self._turn.stay_alert()
                return False
            self._sleep(condition, hopeless=hopeless, draining=draining, mark=mark)

    def _may_stop(self, *, draining: bool) -> bool:
        """Tell whether the next `is_running` may answer False: no reason to sleep before it is asked."""
        return self._has_nothing_left(draining=draining) and self._reason() is None

    def _reason(self) -> str | None:
        """Ask the veto for its reason to go on."""
        reason: object = None if self._veto is None else self._veto()
        if reason is None or isinstance(reason, str):
            return reason
        message = f"the veto of is_running answered {reason!r}: let it return the reason to go on, as text, or None"
        raise TypeError(message)

    def _sleep(
        self, condition: Condition, *, hopeless: bool, draining: bool, mark: tuple[tuple[int, ...], ...]
    ) -> None:
        def arm(alarm: Alarm) -> None:
            condition.arm(alarm)
            if hopeless:
                alarm.has_choice = alarm.asks_again = True  # the veto
                for end in self._turn.ends:
                    end.arm_change()
                    alarm.ends.append(end)

        def ready() -> bool:
            if condition.holds() or bool(self._run[layout.SHUTDOWN]) != draining:
                return True
            return self._mark() != mark if hopeless else condition.impossible()

        self._turn.rest(arm, ready)

    def _mark(self) -> tuple[tuple[int, ...], ...]:
        return tuple(end.mark() for end in self._turn.ends)

    # Conditions of the actor itself

    def wait_periodic(self, seconds: float) -> Condition:
        """Condition: a beat every `seconds`, on multiples of it from the start of the run.

        No drift; a late beat is not doubled. The first beat is the next multiple. Raises ConfigurationError for a
        period that is not above 0.
        """
        period = self._periods.get(seconds)
        if period is None:
            if not seconds > 0:
                message = f"wait_periodic({seconds!r}): the period must be above 0 seconds"
                raise ConfigurationError(message)
            period = self._periods[seconds] = Periodic(seconds, self._start, self._clock)
        return period

    def wait_timeout(self, seconds: float) -> Condition:
        """Condition: `seconds` have passed since this call."""
        return Timeout(seconds, self._clock)

    def wait_shutdown(self) -> Condition:
        """Condition: a shutdown was requested."""
        return Shutdown(self._run)

    def wait_readable(self, fd: int) -> Condition:
        """Condition: the file descriptor can be read without blocking, or is at its end.

        The wait for it raises OSError where that descriptor is not open.
        """
        return Readable(fd)
