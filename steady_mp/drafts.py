"""What was declared of a graph so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp.cadence import CommitEvery
    from steady_mp.channel.kinds import Shape
    from steady_mp.monitors import Watching
    from steady_mp.plan import EndPlan
    from steady_mp.policy import RestartPolicy
    from steady_mp.recycling import Recycle
    from steady_mp.wait_strategy import WaitStrategy


@dataclass(frozen=True, slots=True)
class ChannelDraft:
    """A channel, before its actors are known."""

    name: str | None
    capacity: int
    ring_bytes: int
    shape: Shape
    watching: Watching
    showstopper: str
    showstopper_after: int


@dataclass(frozen=True, slots=True)
class ActorDraft:
    """An actor, before the graph is whole."""

    name: str
    behavior: str
    packed: bytes
    ends: tuple[EndPlan, ...]
    restart: RestartPolicy
    watching: Watching
    commit_every: CommitEvery | None
    recycle: Recycle | None
    stall_timeout: float | None
    wait_strategy: WaitStrategy
    #: Its behavior was typed into a session.
    is_typed: bool
