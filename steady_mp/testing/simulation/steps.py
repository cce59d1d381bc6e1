"""Steps: the count that everything in a simulation is ordered by, and the virtual clock that runs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from steady_mp.testing.simulation.dice import STEP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from steady_mp.testing.simulation.dice import Crash, Switch

#: Steps after which somebody else goes on in any case, so that nobody who never waits starves the others.
_SLICE: Final = 20_000
_NEVER: Final = 1 << 62


class Killed(BaseException):
    """A process ends here. No Exception, so that `except Exception` lets it pass."""


class Steps:
    """Counts steps, and knows before which of them something is to happen. Call it for the virtual time in seconds.

    Who takes a step counts it and compares, in line, because most steps are just that; `act` does the rest.
    """

    __slots__ = (
        "_crashes",
        "_held",
        "_jumped",
        "_kill",
        "_limit",
        "_own",
        "_slice",
        "_stop",
        "_switch",
        "_switches",
        "_tick",
        "_yield",
        "count",
        "due",
        "dying",
    )

    def __init__(self, tick: float, switches: Iterable[Switch], crashes: Iterable[Crash], limit: int) -> None:
        """Take `tick` seconds a step; stop at step `limit`."""
        self.count = 0
        #: The process at work was killed, or has left: whatever it still does ends here.
        self.dying = False
        self._tick = tick
        self._jumped = 0.0
        self._limit = limit
        self._switches = iter(switches)
        self._switch = next(self._switches, None)
        self._crashes = sorted(crash.hit for crash in crashes if crash.point == STEP and not crash.actor)
        self._own = _NEVER
        self._slice = _SLICE
        self._yield: Callable[[Switch | None, str], None]
        self._kill: Callable[[str], None]
        self._stop: Callable[[], None]
        self._held: int | None = None
        self.due = 0
        self.plan()

    def connect(
        self,
        *,
        on_switch: Callable[[Switch | None, str], None],
        on_crash: Callable[[str], None],
        on_limit: Callable[[], None],
    ) -> None:
        """Say what is done before a step; each is told what the step is."""
        self._yield, self._kill, self._stop = on_switch, on_crash, on_limit

    def __call__(self) -> float:
        """Return the virtual time."""
        return self._jumped + (self.count if self._held is None else self._held) * self._tick

    def jump(self, moment: float) -> None:
        """Let time pass until `moment`."""
        self._jumped += max(0.0, moment - self())

    def as_of(self, moment: float, question: Callable[[], bool]) -> bool:
        """Ask a question as if it were still `moment`."""
        jumped = self._jumped
        self._jumped += moment - self()
        try:
            return question()
        finally:
            self._jumped = jumped

    def crash_soon(self, count: int) -> None:
        """Let so many crashes strike, one at each of the next steps that somebody takes."""
        self._crashes = sorted([*self._crashes, *(self.count + 1 + n for n in range(count))])
        self.plan()

    def drop_crashes(self) -> int:
        """Forget the crashes that are to come; return how many."""
        dropped = len(self._crashes)
        self._crashes.clear()
        return dropped

    def plan(self) -> None:
        """See when something is to happen next."""
        switch = _NEVER if self._switch is None else self._switch.step
        crash = self._crashes[0] if self._crashes else _NEVER
        self.due = min(switch, crash, self._own, self._slice, self._limit)

    def resumed(self, crash_in: int | None) -> None:
        """Somebody goes on: it has a slice of its own, and dies at its step `crash_in` from now."""
        self.dying = False
        if self._held is not None:
            self.count, self._held = self._held, None
        self._own = _NEVER if crash_in is None else self.count + crash_in
        self._slice = self.count + _SLICE
        self.plan()

    def pause(self) -> None:
        """Let nothing happen and no time pass until `resumed`: the simulation itself looks at the memory."""
        self._held = self.count
        self.due = _NEVER

    def doom(self) -> None:
        """Let every step of the process at work end it from now on."""
        self.dying = True
        self.due = 0

    def die(self) -> None:
        """End the process at work: here, and at every step that it still tries."""
        self.doom()
        raise Killed

    def act(self, what: str) -> None:
        """Do what is due before this step: `what` the process is about to do."""
        if self.dying:
            raise Killed
        if self.count >= self._limit:
            self._stop()
        if self.count >= self._own or (self._crashes and self.count >= self._crashes[0]):
            if self.count < self._own:
                self._crashes.pop(0)
            self._kill(what)
            self.die()
        switch = None
        if self._switch is not None and self.count >= self._switch.step:
            switch = self._switch
            self._switch = next(self._switches, None)
            self.plan()
        elif self.count < self._slice:
            self.plan()
            return
        self._yield(switch, what)

    def step(self, what: str) -> None:
        """Take a step."""
        self.count += 1
        if self.count >= self.due:
            self.act(what)
