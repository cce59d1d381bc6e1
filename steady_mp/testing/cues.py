"""Cues: what a test tells an actor that it plays, and what comes back. One cue, one answer.

Messages are named by their position in the channel, which is the same in every life. So a cue can be
given again to the next life when a life dies over it: what was committed is not done again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hello:
    """The first word of a life: how many messages of each output were sent, and of each input taken."""

    generation: int
    sent: list[int]
    taken: list[int]


@dataclass(frozen=True, slots=True)
class Echo:
    """Send these pickled values, the first one as message `position` of the output."""

    lane: int
    position: int
    values: list[bytes]


@dataclass(frozen=True, slots=True)
class Close:
    """Close the output."""

    lane: int


@dataclass(frozen=True, slots=True)
class Show:
    """Show at most `most` messages of the input from `position` on, without taking them; `wait` so long for one."""

    lane: int
    position: int
    most: int
    wait: float


@dataclass(frozen=True, slots=True)
class Take:
    """Take what comes before `position` of the input."""

    lane: int
    position: int


@dataclass(frozen=True, slots=True)
class Leave:
    """Take what comes before these positions of the inputs and show what comes behind; leave when nothing can."""

    positions: list[int]


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, and committed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Messages of an input from `position` on, pickled; `closed` says that there are none, and none will come."""

    lane: int
    position: int
    values: list[bytes]
    closed: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """It can't be done; `error` is the name of the error in `steady_mp.errors`, or empty."""

    error: str
    why: str


Cue = Echo | Close | Show | Take | Leave
Answer = Done | Shown | Refused
