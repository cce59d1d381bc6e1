"""Kill the actors of a pipeline at random, and see that nobody can tell."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import RunStopped
from steady_mp.memory import layout
from tests.support import mixed
from tests.support.runs import Outcome, complete

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Run
    from tests.support.watch import Watch

PLACES = ("source", "middle", "sink")
CAPACITY = 64
ENDLESS = 1 << 60
_UNTIRING = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0)
#: How often a kill is followed by another one within the time that a start takes.
_AGAIN = 0.2
_START = 0.03
#: Seconds between two looks.
_STEP = 0.001


def build(total: int = ENDLESS) -> Graph:
    """Build the pipeline; each actor is restarted at once, however often it dies."""
    graph = Graph("chaos", log_level="error", shutdown_timeout=60.0)
    numbers_tx, numbers_rx = graph.channel(CAPACITY)
    results_tx, results_rx = graph.channel(CAPACITY)
    graph.actor("source", mixed.source, numbers_tx, total, graph.state(), restart=_UNTIRING)
    graph.actor("middle", mixed.middle, numbers_rx, results_tx, graph.state(), restart=_UNTIRING)
    graph.actor("sink", mixed.sink, results_rx, graph.state(), restart=_UNTIRING)
    return graph


@dataclass
class Chaos:
    """Kills `kills` times, spread over the first `messages` messages by a seeded dice; then the graph drains."""

    kills: int
    messages: int
    seed: int
    tell: Callable[[int, int], None] = lambda _deaths, _messages: None
    fullest: int = field(default=0, init=False)

    def run(self, seconds: float) -> Outcome:
        """Run it all, within `seconds`."""
        return complete(build(), seconds, self._kill_and_drain)

    def _kill_and_drain(self, run: Run, watch: Watch) -> None:
        rng = random.Random(self.seed)
        words = run._channels[0].words
        seats = run._supervisor.seats
        over = threading.Event()
        victims: list[str] = []
        following = 0.0
        while not watch.all_of(RunStopped):
            deaths, sent = sum(len(seat.deaths) for seat in seats), words[layout.TAIL]
            self.tell(deaths, sent)
            if deaths >= self.kills and sent >= self.messages:
                run.request_shutdown()
                return
            if deaths < self.kills and sent >= following:
                if not victims:
                    victims = rng.sample(PLACES, len(PLACES))
                following = min(sent, self.messages) + 2 * rng.random() * self.messages / self.kills
                run.kill(victims.pop())
                if rng.random() < _AGAIN:
                    over.wait(rng.uniform(0.0, _START))
                    run.kill(rng.choice(PLACES))
            self._sample(run)
            over.wait(_STEP)

    def _sample(self, run: Run) -> None:
        """See how full the channels are, where nobody moved meanwhile."""
        for mapping in run._channels:
            words = mapping.words
            before = words[layout.HEAD], words[layout.HEAD_POS]
            tail, tail_position = words[layout.TAIL], words[layout.TAIL_POS]
            if before == (words[layout.HEAD], words[layout.HEAD_POS]):
                self.fullest = max(self.fullest, tail - before[0])
                assert 0 <= tail - before[0] <= CAPACITY
                assert tail_position - before[1] <= words[layout.CH_RING_BYTES]


def checksum(total: int, tell: Callable[[int], None] = lambda _: None) -> int:
    """Return what every actor's checksum must be after `total` messages."""
    account = mixed.Account()
    for number in range(total):
        account.enter(mixed.message(number))
        if not number % 100_000:
            tell(number)
    return account.checksum


def faults(outcome: Outcome, expected: Callable[[int], int] = checksum) -> list[str]:
    """Return what is wrong with the end of such a run; empty when nobody could tell that there was one kill."""
    total = outcome.actor("source").state["count"]
    right = {"count": total, "checksum": expected(total), "wrong": -1}
    wrong = [
        f"{name}: {outcome.actor(name).state} and not {right}" for name in PLACES if outcome.actor(name).state != right
    ]
    if outcome.report.exit_code is not ExitCode.DRAINED:
        wrong += [f"exit code {outcome.report.exit_code}", *outcome.report.why]
    wrong += [f"{name} was woken by the safety time-out {count} times" for name, count in outcome.rescues.items()]
    for channel in outcome.report.channels:
        if (channel.sent, channel.taken) != (total, total):
            wrong.append(f"{channel.name}: sent {channel.sent}, taken {channel.taken} of {total}")
    return wrong
