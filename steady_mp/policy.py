"""Restart policies: how soon an actor is started again, and when that is given up."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_DOUBLINGS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How an actor is restarted. Frozen; each actor counts its own failures.

    Each death adds 1 to a count that halves every `half_life` seconds. The first restart is at once;
    after that the pause doubles with the count, from `backoff` up to `max_backoff` seconds, each made
    longer by a random share of up to `jitter`.

    A life that moved a message, or was killed in its sleep, did not fail by itself: it can be killed
    any number of times. Lives that end without either are counted apart, decaying likewise, and above
    `threshold` of them the supervisor gives up: `stop_graph` stops the whole run, `isolate` lets the
    others go on without this actor. The idea of the decaying count is suture's.

    Raises ConfigurationError for what is no number or below 0, a `half_life` of 0, and another word for `give_up`.
    """

    threshold: float = 5.0
    half_life: float = 30.0
    backoff: float = 0.05
    max_backoff: float = 1.0
    jitter: float = 0.2
    give_up: Literal["stop_graph", "isolate"] = "stop_graph"

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name in ("threshold", "half_life", "backoff", "max_backoff", "jitter"):
            if isinstance(value := getattr(self, name), bool) or not isinstance(value, int | float):
                message = f"RestartPolicy: {name} {value!r} must be a number"
                raise ConfigurationError(message)
        for name in ("threshold", "backoff", "max_backoff", "jitter"):
            if not getattr(self, name) >= 0:
                message = f"RestartPolicy: {name} {getattr(self, name)!r} must be 0 or more"
                raise ConfigurationError(message)
        if not self.half_life > 0:
            message = f"RestartPolicy: half_life {self.half_life!r} must be above 0 seconds"
            raise ConfigurationError(message)
        if self.give_up not in {"stop_graph", "isolate"}:
            message = f"RestartPolicy: give_up {self.give_up!r} must be stop_graph or isolate"
            raise ConfigurationError(message)


class _Decaying:
    """A count that halves every half-life."""

    __slots__ = ("_at", "_clock", "_half_life", "_value")

    def __init__(self, half_life: float, clock: Callable[[], float]) -> None:
        self._half_life = half_life
        self._clock = clock
        self._value = 0.0
        self._at = clock()

    def now(self) -> float:
        """Return the count as decayed until now."""
        return self._value * math.pow(0.5, (self._clock() - self._at) / self._half_life)

    def add(self) -> float:
        """Count one more and return the count."""
        self._value = self.now() + 1.0
        self._at = self._clock()
        return self._value

    def forgive(self) -> None:
        """Start over."""
        self._value = 0.0


class Failures:
    """The failures of one actor, and what its policy makes of them."""

    __slots__ = ("_barren", "_deaths", "_random", "clock", "policy")

    def __init__(
        self,
        policy: RestartPolicy,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        """Count from zero by `clock`."""
        self.policy = policy
        self.clock = clock
        self._deaths = _Decaying(policy.half_life, clock)
        self._barren = _Decaying(policy.half_life, clock)
        self._random = rng or random.Random()  # noqa: S311 - jitter

    def died(self, *, innocent: bool) -> float | None:
        """Count a death; return the seconds to wait before the restart, or None to give up.

        `innocent` says that the life moved a message or was killed in its sleep.
        """
        policy = self.policy
        if innocent:
            self._barren.forgive()
        elif self._barren.add() > policy.threshold:
            return None
        deaths = self._deaths.add()
        if deaths < 1.5:  # noqa: PLR2004 - the first one, as good as alone
            return 0.0
        doublings = min(deaths - 2.0, _MOST_DOUBLINGS)
        pause = min(policy.max_backoff, policy.backoff * math.pow(2.0, max(0.0, doublings)))
        return pause * (1.0 + policy.jitter * self._random.random())
