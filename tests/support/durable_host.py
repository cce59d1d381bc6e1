"""A supervisor of a durable run: ``python -m tests.support.durable_host FOLDER [sync]``; TERM drains it."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from actors import Args, build_graph, check_report
from steady_mp import Event, Graph
from steady_mp.events import ActorStarted


def tell(event: Event) -> None:
    if isinstance(event, ActorStarted):
        print("started", event.actor, flush=True)  # noqa: T201


def main(folder: Path, *, sync: bool) -> int:
    graph = Graph("durable", log_level="error")
    build_graph(graph, Args(rate=1, beats=1_000_000_000))
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    begun = (folder / "durable").exists()
    run = graph.start(on_event=tell, resume=folder) if begun else graph.start(on_event=tell, durable=folder, sync=sync)
    print("up", flush=True)  # noqa: T201 - what the test waits for
    # From here on the run listens itself; what came before is told to it.
    while not asked and not run._interrupts.wait(0.01):
        pass
    run.request_shutdown()
    report = run.block_until_stopped()
    facts = {
        "clean": report.clean,
        "wrong": check_report(report),
        "sent": [channel.sent for channel in report.channels],
        "generations": [actor.generation for actor in report.actors],
    }
    print("report", json.dumps(facts), flush=True)  # noqa: T201
    return int(report.exit_code)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sync="sync" in sys.argv[2:]))
