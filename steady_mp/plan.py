"""The plan of a run: its topology as plain data, kept as ``graph.json`` in the run directory."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from steady_mp.cadence import CommitEvery
from steady_mp.channel.kinds import Shape
from steady_mp.memory import layout
from steady_mp.monitors import Watching
from steady_mp.recycling import Recycle
from steady_mp.wait_strategy import WaitStrategy

#: Deaths over one message that are counted: `showstopper_after` can be no more.
MOST_DEATHS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPlan:
    """One channel, and the indexes of the actors at its ends."""

    name: str
    capacity: int
    ring_bytes: int
    producer: int
    consumer: int
    shape: Shape = field(default_factory=Shape)
    watching: Watching = field(default_factory=Watching)
    #: What is done with a message that was in hand at so many deaths of its consumer in a row; 0 for never.
    showstopper: str = "dead_letter"
    showstopper_after: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPlan:
    """One end of a channel at an actor: the channel's index, and whether the actor sends there."""

    channel: int
    sends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorPlan:
    """One actor, and its ends in the order of its journal."""

    name: str
    behavior: str
    ends: tuple[EndPlan, ...]
    watching: Watching = field(default_factory=Watching)
    wait_strategy: WaitStrategy = field(default_factory=WaitStrategy)
    commit_every: CommitEvery | None = None
    recycle: Recycle | None = None
    #: Seconds in its own code without having looked up, after which it is killed; None for never.
    stall_timeout: float | None = None
    #: Which states of the graph it has, in the order of its arguments; None in a plan from before that was kept.
    states: tuple[int, ...] | None = None

    def has_states_of(self, other: ActorPlan) -> bool:
        """Tell whether it finds what `other` has saved: it has all of its states, and new ones only behind them."""
        if self.states is None or other.states is None:
            return True
        return self.states[: len(other.states)] == other.states


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that the processes of a run have to know, besides the actors' arguments."""

    graph: str
    actors: tuple[ActorPlan, ...]
    channels: tuple[ChannelPlan, ...]
    log_level: int
    path: tuple[str, ...]
    modules: tuple[str, ...]
    refresh: float = 0.5
    window: float = 10.0
    #: Whether a process stands by for the next restart.
    spare: bool = True
    main: tuple[str, str] | None = None
    faults: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    layout_version: int = layout.LAYOUT_VERSION

    def files(self) -> dict[str, int]:
        """Return the files of the run directory that are allocated at the start, with their sizes."""
        files = {RUN_FILE: layout.PAGE}
        for index, channel in enumerate(self.channels):
            files[channel_file(index)] = layout.channel_bytes(channel.ring_bytes)
        for index, actor in enumerate(self.actors):
            files[actor_file(index, "control")] = layout.control_bytes(len(actor.ends))
        return files

    def peer(self, end: EndPlan) -> int:
        """Return the actor at the other end of a channel."""
        channel = self.channels[end.channel]
        return channel.consumer if end.sends else channel.producer

    def leads(self, start: int, goal: int, around: int) -> bool:
        """Tell whether what actor `start` sends can reach actor `goal`, not by way of actor `around`."""
        reached = {start}
        while goal not in reached:
            further = {c.consumer for c in self.channels if c.producer in reached} - reached - {around}
            if not further:
                return False
            reached |= further
        return True

    def parts(self, without: int) -> list[int]:
        """Return for each actor the part of the graph that it is in: what channels connect, in whatever direction.

        Without one actor, which is in a part of its own.
        """
        parts = list(range(len(self.actors)))

        def root(actor: int) -> int:
            while parts[actor] != actor:
                actor = parts[actor]
            return actor

        for channel in self.channels:
            if without not in {channel.producer, channel.consumer}:
                parts[root(channel.producer)] = root(channel.consumer)
        return [root(actor) for actor in range(len(parts))]

    def differences(self, other: Plan) -> list[str]:
        """Say where another, later plan can't go on with what this one has left: other files, or states elsewhere."""
        found = []
        if self.layout_version != other.layout_version:
            found.append(f"layout {other.layout_version} instead of {self.layout_version}")
        names = [[actor.name for actor in plan.actors] for plan in (self, other)]
        if names[0] != names[1]:
            return [*found, f"actors {', '.join(names[1])} instead of {', '.join(names[0])}"]
        if len(self.channels) != len(other.channels):
            return [*found, f"{len(other.channels)} channels instead of {len(self.channels)}"]
        for mine, theirs in zip(self.channels, other.channels, strict=True):
            found += [
                f"channel {mine.name}: {what} {getattr(theirs, what)} instead of {getattr(mine, what)}"
                for what in ("name", "capacity", "ring_bytes", "producer", "consumer", "shape")
                if getattr(mine, what) != getattr(theirs, what)
            ]
        found += [
            f"actor {mine.name}: its ends are in another order"
            for mine, theirs in zip(self.actors, other.actors, strict=True)
            if mine.ends != theirs.ends
        ]
        found += [
            f"actor {mine.name}: it has {_say(theirs.states)} instead of {_say(mine.states)} "
            "(they count as declared: keep that order, with new ones last)"
            for mine, theirs in zip(self.actors, other.actors, strict=True)
            if not theirs.has_states_of(mine)
        ]
        return found

    def to_json(self) -> str:
        """Write the plan down."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read a plan that `to_json` wrote."""
        data = json.loads(text)
        data["actors"] = tuple(
            ActorPlan(
                name=actor["name"],
                behavior=actor["behavior"],
                ends=tuple(EndPlan(**end) for end in actor["ends"]),
                watching=Watching.from_data(actor["watching"]),
                wait_strategy=WaitStrategy(**actor["wait_strategy"]),
                commit_every=CommitEvery(**actor["commit_every"]) if actor.get("commit_every") else None,
                recycle=Recycle(**actor["recycle"]) if actor.get("recycle") else None,
                stall_timeout=actor["stall_timeout"],
                states=None if actor.get("states") is None else tuple(actor["states"]),
            )
            for actor in data["actors"]
        )
        data["channels"] = tuple(
            ChannelPlan(
                **{**channel, "shape": Shape(**channel["shape"]), "watching": Watching.from_data(channel["watching"])}
            )
            for channel in data["channels"]
        )
        data["path"] = tuple(data["path"])
        data["modules"] = tuple(data["modules"])
        data["main"] = tuple(data["main"]) if data["main"] else None
        return cls(**data)


def _say(states: tuple[int, ...] | None) -> str:
    if not states:
        return "no state"
    return f"state{'s' if len(states) > 1 else ''} {', '.join(map(str, states))}"


def channel_file(index: int) -> str:
    """Name of a channel's file."""
    return f"channel-{index}"


def actor_file(index: int, kind: str) -> str:
    """Name of an actor's file; `memory/rundir.py` says which kinds there are."""
    return f"actor-{index}.{kind}"


SUPERVISOR_BELL = "supervisor.bell"
RUN_FILE = "run"
PLAN_FILE = "graph.json"
#: Where the log file of the run is; empty where it has none.
LOG_NOTE = "log-file"
