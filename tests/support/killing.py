"""Kills at random, by a seed, while a run goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from steady_mp import Graph, RestartPolicy
from steady_mp.events import ActorDied
from steady_mp.memory import layout
from tests.support import mixed

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from steady_mp import Event, Report, Run

#: The first restart at once and all others too: here the kills are the weather, not a fault of the actor's.
UNTIRING = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0)
_PATIENCE = 60.0


@dataclass
class Siege:
    """What a siege has seen so far."""

    deaths: dict[str, int] = field(default_factory=lambda: dict.fromkeys(mixed.NAMES, 0))
    fullest: int = 0
    carried: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def kills(self) -> int:
        return sum(self.deaths.values())

    def note(self, event: Event) -> None:
        """Be the consumer of the run's events."""
        if isinstance(event, ActorDied):
            assert event.cause == "SIGKILL"
            self.deaths[event.actor] += 1

    def look(self, run: Run) -> None:
        """Sample the channels. A fill counts only if the head stood still while the tail was read."""
        for mapping in run._channels:
            head = mapping.words[layout.HEAD]
            tail = mapping.words[layout.TAIL]
            if mapping.words[layout.HEAD] == head:
                self.fullest = max(self.fullest, tail - head)
        self.carried = run._channels[-1].words[layout.HEAD]


def besiege(
    *,
    rng: random.Random,
    kills: int,
    messages: int,
    pause: float,
    show: Callable[[Siege], None] = lambda _: None,
) -> tuple[Siege, Report]:
    """Run the mixed pipeline and kill its actors, until at least so many have died and so much has arrived."""
    siege = Siege()
    graph = Graph("siege", log_level="error", shutdown_timeout=_PATIENCE)
    mixed.declare(graph, UNTIRING)
    with graph.start(on_event=siege.note) as run:
        while siege.kills < kills or siege.carried < messages:
            # Nothing is waited for here: the time between two kills is the subject of the test.
            siege.ended.wait(rng.uniform(0.0, 2 * pause))
            if siege.kills < kills:
                run.kill(rng.choice(mixed.NAMES))
            siege.look(run)
            show(siege)
        run.request_shutdown("the siege is over")
        report = run.block_until_stopped(_PATIENCE)
    return siege, report


def verdict(siege: Siege, report: Report) -> list[str]:
    """Say what is not as in a calm run; nothing, if all is well."""
    faults = list(report.why)
    sent = report.channels[0].sent
    calm = mixed.expected(sent)
    for actor in report.actors:
        if actor.state != {"count": calm.count, "checksum": calm.checksum}:
            faults.append(f"{actor.name} came to {actor.state}, a calm run to {calm}")
        if actor.generation != siege.deaths[actor.name] + 1 + _planned(actor.generation, siege.deaths[actor.name]):
            faults.append(f"{actor.name} is in life {actor.generation} after {siege.deaths[actor.name]} deaths")
    if siege.fullest > mixed.CAPACITY:
        faults.append(f"a channel of {mixed.CAPACITY} held {siege.fullest} messages")
    return faults


def _planned(generation: int, deaths: int) -> int:
    """Lives that an actor began anew by itself, to repeat put-off turns: at most one, it is ungrouped then."""
    return min(1, max(0, generation - deaths - 1))
