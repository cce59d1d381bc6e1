"""A run directory without a run: real files with words that a test stores, and events that it makes up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

from prometheus_client import CollectorRegistry, generate_latest

from steady_mp.channel.kinds import format_channel
from steady_mp.events import ActorDied, ActorStarted
from steady_mp.graph import Topology
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.rundir import RunDir
from steady_mp.memory.status import STATUS_FILE
from steady_mp.plan import PLAN_FILE, RUN_FILE, actor_file, channel_file
from steady_mp.supervisor.recorder import Recorder, first_status
from steady_mp.telemetry.board import Board
from steady_mp.telemetry.prometheus import RunCollector
from steady_mp.telemetry.sampler import Sampler

if TYPE_CHECKING:
    from steady_mp import Actor, Event, Rx, Tx


def feed(_actor: Actor, _out: Tx[int]) -> None:
    """Nobody ever runs it."""


def eat(_actor: Actor, _in: Rx[int]) -> None:
    """Nobody ever runs it."""


def expose(board: Board) -> bytes:
    """Return everything about a run, as of its last sample, as prometheus-client itself writes it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(RunCollector(board))
    return generate_latest(registry)


class Simulated:
    """A graph of pairs ``feed → eat``; words are stored by hand, and time is what the test says."""

    def __init__(self, *names: tuple[str, str], graph: str = "simulated", **channel: Any) -> None:
        """Make the directory with one channel for each pair of actors."""
        topology = Topology(graph, refresh=0.5, window=5.0)
        for start, goal in names or (("feed", "eat"),):
            tx, rx = topology.channel(**{"capacity": 10, **channel})
            topology.actor(start, feed, tx)
            topology.actor(goal, eat, rx)
        self.plan = topology.plan()
        self.now = 1000.0
        self.wall = 1_700_000_000.0
        status = first_status(self.plan, self.wall)
        contents = {PLAN_FILE: self.plan.to_json().encode(), STATUS_FILE: status.to_json().encode()}
        self.run = RunDir.create(graph, self.plan.files(), contents)
        self.record = Recorder(self.run.path, self.plan, print, lambda: self.wall)
        self._words = self.run.mapping(RUN_FILE)
        self.start()
        self._mappings = [self.run.mapping(channel_file(index)) for index in range(len(self.plan.channels))]
        for plan, mapping in zip(self.plan.channels, self._mappings, strict=True):
            format_channel(mapping, plan)
        self.channels = [mapping.words for mapping in self._mappings]
        self._controls = [
            ControlBlock(self.run.mapping(actor_file(index, "control")), len(actor.ends))
            for index, actor in enumerate(self.plan.actors)
        ]
        for control in self._controls:
            control.format()
        self.actors = [control.words for control in self._controls]
        self.sampler = Sampler(self.run.path, clock=lambda: self.now, wall=lambda: self.wall)
        self.board = Board(self.plan)

    def start(self) -> None:
        """Let the run begin now."""
        self._words.words[layout.START_NS] = int(self.now * 1e9)

    def begin(self, actor: int = 0, generation: int = 1) -> None:
        """Let an actor live, in this process."""
        self.actors[actor][layout.GENERATION] = generation
        self.actors[actor][layout.PHASE] = layout.PHASE_RUNNING
        self.actors[actor][layout.LOOKED_NS] = int(self.now * 1e9)
        name = self.plan.actors[actor].name
        self.record(ActorStarted(actor=name, generation=generation, pid=os.getpid(), commit=0))

    def die(self, actor: int = 0, generation: int = 1, cause: str = "SIGKILL") -> None:
        """Let an actor's life end."""
        name = self.plan.actors[actor].name
        self.record(ActorDied(actor=name, generation=generation, cause=cause, pause=0.0, commit=0))

    def carry(self, sent: int, taken: int, channel: int = 0) -> None:
        """Store a channel's cursors."""
        self.channels[channel][layout.TAIL] = sent
        self.channels[channel][layout.HEAD] = taken

    def tick(self, seconds: float = 0.5) -> list[Event]:
        """Let time pass and look; return the alerts that have changed."""
        self.now += seconds
        self.wall += seconds
        return self.board.update(self.sampler.sample())

    def close(self) -> None:
        """Leave nothing behind."""
        self.sampler.close()
        for control in self._controls:
            control.close()
        for mapping in self._mappings:
            mapping.close()
        self._words.close()
        self.run.remove()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        self.close()
