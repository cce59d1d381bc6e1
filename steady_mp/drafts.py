"""What was declared of a graph so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steady_mp.plan import ActorPlan, ChannelPlan, EndPlan

if TYPE_CHECKING:
    from steady_mp.cadence import CommitEvery
    from steady_mp.channel.kinds import Shape
    from steady_mp.monitors import Watching
    from steady_mp.packing import Declared
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

    def plan(self, name: str, producer: int, consumer: int) -> ChannelPlan:
        """Return it with its actors; `name` is for one that was given none."""
        return ChannelPlan(
            name=self.name or name,
            capacity=self.capacity,
            ring_bytes=self.ring_bytes,
            shape=self.shape,
            producer=producer,
            consumer=consumer,
            watching=self.watching,
            showstopper=self.showstopper,
            showstopper_after=self.showstopper_after,
        )


@dataclass(frozen=True, slots=True)
class ActorDraft:
    """An actor, before the graph is whole."""

    name: str
    behavior: str
    packed: bytes
    ends: tuple[EndPlan, ...]
    states: tuple[int, ...]
    restart: RestartPolicy
    watching: Watching
    commit_every: CommitEvery | None
    recycle: Recycle | None
    stall_timeout: float | None
    wait_strategy: WaitStrategy
    #: Its behavior was typed into a session.
    is_typed: bool

    def plan(self) -> ActorPlan:
        """Return what its processes have to know."""
        return ActorPlan(
            name=self.name,
            behavior=self.behavior,
            ends=self.ends,
            states=self.states,
            watching=self.watching,
            commit_every=self.commit_every,
            recycle=self.recycle,
            stall_timeout=self.stall_timeout,
            wait_strategy=self.wait_strategy,
        )


def ends_and_states(met: list[Declared]) -> tuple[tuple[EndPlan, ...], tuple[int, ...]]:
    """Return the ends and the states among what an actor was handed, each in their order."""
    ends = tuple(EndPlan(channel=end.index, sends=end.kind == "tx") for end in met if end.kind != "state")
    return ends, tuple(end.index for end in met if end.kind == "state")
