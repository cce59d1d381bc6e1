"""Restart: from the SIGKILL of a producer at work to the first message of its replacement, at the consumer.

The consumer is the killer too, so that both moments are read from one clock in one process, and nothing
polls: each message is the number of the process that sent it. Some thousand messages after a new life's
first one it is killed in its turn. Back-off between restarts is switched off; it is not what is measured.
"""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from benchmarks.figures import MILLISECONDS
from benchmarks.pair import CONTEXT
from benchmarks.race import Contestant, Race
from benchmarks.standings import Question, Sample
from benchmarks.steady import run_graph, state_of
from steady_mp import Actor, Graph, RestartPolicy, Rx, SteadyState, Tx

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from benchmarks.experiment import Effort, Experiment

_CAPACITY = 64
#: Messages of a life before it is killed: at least the first, at most the second.
_CALM = (2_000, 8_000)
_BASELINE = "multiprocessing.Process"
_AT_ONCE = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0, jitter=0.0)


@dataclass
class Restarts:
    """What the killer knows."""

    kills: int
    #: The life at work: its process, and how many messages it may still send.
    pid: int = 0
    calm: int = 0
    #: When it was killed.
    killed_ns: int = 0
    nanoseconds: list[int] = field(default_factory=list)

    def saw(self, pid: int) -> bool:
        """Take a message from process `pid`; kill it when its time has come. Tell whether it is all over."""
        if pid != self.pid:
            if self.pid:
                self.nanoseconds.append(time.perf_counter_ns() - self.killed_ns)
            self.pid = pid
            self.calm = random.randint(*_CALM)  # noqa: S311 - when to kill
        elif self.calm and len(self.nanoseconds) < self.kills:
            self.calm -= 1
            if not self.calm:
                self.killed_ns = time.perf_counter_ns()
                os.kill(pid, signal.SIGKILL)
        return len(self.nanoseconds) >= self.kills


# Ours


@dataclass
class Sent:
    """The state of the victim."""

    count: int = 0


def victim(actor: Actor, tx: Tx[int], state: SteadyState[Sent]) -> None:
    """Send the number of this process, again and again."""
    sent = state.acquire(Sent)
    pid = os.getpid()
    while actor.is_running():
        tx.send(pid)
        sent.count += 1


def killer(actor: Actor, rx: Rx[int], state: SteadyState[Restarts], kills: int) -> None:
    """Kill whoever sends; go home after so many times."""
    restarts = state.acquire(lambda: Restarts(kills))
    while actor.is_running():
        if restarts.saw(rx.take()):
            actor.request_shutdown()


class _Steady(Contestant):
    name = "steady-mp"
    note = "from the last commit, with state"
    ours = True

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        kills = effort.kills_a_round
        graph = Graph("bench", log_level="error")
        tx, rx = graph.channel(capacity=_CAPACITY)
        graph.actor("victim", victim, tx, graph.state(), restart=_AT_ONCE)
        graph.actor("killer", killer, rx, graph.state(), kills)
        restarts = Restarts(**state_of(run_graph(graph, effort.patience), "killer"))
        return [Sample(nanoseconds / 1e9) for nanoseconds in restarts.nanoseconds]


# By hand


def _send_pid(writer: Connection) -> None:
    pid = os.getpid()
    while True:
        writer.send(pid)


class _Life:
    """One life of a producer that somebody watches by hand: its process, and a pipe of its own."""

    def __init__(self) -> None:
        self.reader, writer = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=_send_pid, args=(writer,), daemon=True)
        self.process.start()
        writer.close()

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.reader.close()


class _ByHand(Contestant):
    """What a program does that watches its worker itself. What was in the pipe is lost."""

    name = _BASELINE
    note = "forkserver, watched and started again by hand; loses what was in the pipe"

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        restarts = Restarts(effort.kills_a_round)
        life = _Life()
        try:
            while True:
                ready = wait([life.reader, life.process.sentinel], effort.patience)
                if not ready:
                    message = f"no message and no death in {effort.patience:g} s"
                    raise TimeoutError(message)
                if life.process.sentinel in ready:
                    life.end()
                    life = _Life()
                elif restarts.saw(life.reader.recv()):
                    break
        finally:
            life.end()
        return [Sample(nanoseconds / 1e9) for nanoseconds in restarts.nanoseconds]


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    return [
        Race(
            Question(
                name="restart",
                title="SIGKILL of a producer at work (numpy imported) to the first message of its replacement",
                unit=MILLISECONDS,
                baseline=_BASELINE,
            ),
            [_Steady(), _ByHand()],
        )
    ]
