"""A supervisor in a process of its own: ``python -m tests.support.host SCENE``.

It prints a line for each start of an actor and, at the end, its report as one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

from steady_mp import Graph, Recycle, RestartPolicy
from steady_mp.events import ActorStarted
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import HangAsleep, HangBusy, HangInC, LiveOn, Raise, Say, Take
from tests.support import lives, pipeline, slow_import
from tests.support.ends import Devour

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Event

ENDLESS = 1 << 40


def flow(graph: Graph) -> None:
    """Source, middle and sink, for ever."""
    numbers_tx, numbers_rx = graph.channel(8)
    results_tx, results_rx = graph.channel(8)
    graph.actor("source", pipeline.source, numbers_tx, ENDLESS, 1, graph.state())
    graph.actor("middle", pipeline.middle, numbers_rx, results_tx, 1, graph.state())
    graph.actor("sink", lives.tally, results_rx, graph.state())


def stubborn(graph: Graph) -> None:
    """Somebody refuses to stop."""
    flow(graph)
    graph.actor("stubborn", perform, lives.REFUSING)


def unyielding(graph: Graph) -> None:
    """The same, with time enough for a second Ctrl-C."""
    stubborn(graph)


def busy(graph: Graph) -> None:
    """Somebody never looks up."""
    flow(graph)
    graph.actor("busy", perform, lives.SPINNING)


def stuck(graph: Graph) -> None:
    """Three ways to be stuck: in Python, in C with the interpreter's lock, in a sleep."""
    for name, step in (("busy", HangBusy()), ("hung", HangInC()), ("asleep", HangAsleep())):
        graph.actor(name, perform, Script.each_life([Say(f"{name} is stuck"), step]))


def family(graph: Graph) -> None:
    """Somebody has children of its own, one of them in a session of its own."""
    flow(graph)
    graph.actor("parent", perform, lives.PARENT)


def limits(graph: Graph) -> None:
    """Somebody never looks up, and must."""
    flow(graph)
    graph.actor("slow", perform, lives.SPINNING, stall_timeout=1.0)


def doomed(graph: Graph) -> None:
    """Somebody fails with each message, until it is given up."""
    tx, rx = graph.channel(8)
    graph.actor("source", pipeline.source, tx, ENDLESS, 1, graph.state())
    script = Script.each_life([Take(), Say("before the end"), Raise(ValueError, "no good")])
    graph.actor("failing", perform, script, rx, restart=RestartPolicy(threshold=1.5, backoff=0.0, max_backoff=0.0))


def refusing(graph: Graph) -> None:
    """Somebody refuses to stop, and has little time to; all of it is waited for."""
    graph.shutdown_timeout = 1.0
    graph.actor("stubborn", perform, lives.REFUSING)


def planned(graph: Graph) -> None:
    """One is done at once, and one is recycled five times a second; nobody fails."""
    graph.actor("brief", perform, Script.each_life([Say("that is all")]))
    graph.actor("dozer", perform, Script.each_life([LiveOn()]), recycle=Recycle(max_age=0.2))


def devouring(graph: Graph) -> None:
    """Somebody takes memory until the kernel ends it."""
    graph.actor("hungry", perform, Script.each_life([Devour()], [LiveOn()]))


def slow(graph: Graph) -> None:
    """Somebody's module takes for ever to import."""
    graph.actor("late", slow_import.behave)


SCENES: dict[str, Callable[[Graph], None]] = {
    scene.__name__: scene
    for scene in (flow, stubborn, unyielding, busy, stuck, family, limits, doomed, refusing, planned, devouring, slow)
}


def tell(event: Event) -> None:
    if isinstance(event, ActorStarted):
        sys.stdout.write(f"started {event.actor} {event.generation} {event.pid}\n")
        sys.stdout.flush()


def main(scene: str, *, forks: bool) -> int:
    graph = Graph(scene, shutdown_timeout=1.0 if scene == "stubborn" else 10.0)  # all of it is waited for
    SCENES[scene](graph)
    run = graph.start(on_event=tell)
    if forks and os.fork() == 0:  # as `multiprocessing` with fork does: the child holds all that was open
        sys.stdout.write(f"forked {os.getpid()}\n")
        sys.stdout.flush()
        os.closerange(0, 3)
        signal.pause()
        os._exit(0)
    report = run.block_until_stopped()
    sys.stdout.write(f"report {json.dumps(report.to_dict())}\n")
    sys.stdout.flush()
    return int(report.exit_code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], forks="forks" in sys.argv[2:]))
