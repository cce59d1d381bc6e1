"""The proof matrix: each way to die x {its cause named within a second in log, events and report; the result exact}."""

from __future__ import annotations

import json
import re
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorDied, ActorStalled
from steady_mp.memory.deaths import DeathReport, read_reports
from steady_mp.memory.status import EVENTS_FILE, read_status
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import (
    Die,
    Exit,
    ExitNow,
    Freeze,
    HangAsleep,
    HangBusy,
    HangInC,
    LiveOn,
    PassOn,
    Raise,
    RaiseUnpicklable,
    Say,
    Send,
    Step,
    Take,
)
from tests.support import lives, pipeline
from tests.support.ends import RaiseMute, Stamp, Starve
from tests.support.runs import complete
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Event, Run

pytestmark = pytest.mark.timeout(60)

TOTAL = 200
AT = 50
STALL = 0.3
IN_PLAY = r"at testing/steps\.py:\d+ in play"


@dataclass(frozen=True)
class End:
    """A way to die, and what is said of it."""

    step: Step
    cause: str
    kind: str
    detail: str = ""
    traceback: str = ""
    stack: str = ""
    stalls: bool = False


ENDS = {
    "raise": End(Raise(ValueError, "no good"), "ValueError: no good", "exception", IN_PLAY, "ValueError: no good"),
    "unpicklable": End(
        RaiseUnpicklable("one of a kind"),
        "steady_mp.testing.steps.OneOfAKind: one of a kind",
        "exception",
        IN_PLAY,
        "OneOfAKind",
    ),
    "mute": End(
        RaiseMute(),
        "tests.support.ends.Mute: <exception str() failed>",
        "exception",
        r"at support/ends\.py:\d+ in play",
        "raise Mute",
    ),
    "sys.exit(3)": End(Exit(3), "exit code 3", "exit code", IN_PLAY, "SystemExit: 3"),
    "os._exit(3)": End(ExitNow(3), "exit code 3", "exit code"),
    "SIGKILL": End(Die(signal.SIGKILL), "SIGKILL", "SIGKILL"),
    "SIGTERM": End(Die(signal.SIGTERM), "SIGTERM", "SIGTERM"),
    "SIGSEGV": End(Die(signal.SIGSEGV), "SIGSEGV", "SIGSEGV", IN_PLAY, stack="Fatal Python error: Segmentation fault"),
    "SIGABRT": End(Die(signal.SIGABRT), "SIGABRT", "SIGABRT", IN_PLAY, stack="Fatal Python error: Aborted"),
    "rlimit, small pieces": End(
        Starve(1000), "out of memory", "out of memory", r"MemoryError, at support/ends\.py:\d+ in play", "MemoryError"
    ),
    "rlimit, large pieces": End(
        Starve(1 << 20),
        "out of memory",
        "out of memory",
        r"MemoryError, at support/ends\.py:\d+ in play",
        "MemoryError",
    ),
    "busy": End(HangBusy(), "stall", "stall", rf"in its own code for .*, {IN_PLAY}; .*", stack=" in play", stalls=True),
    "asleep": End(
        HangAsleep(),
        "stall",
        "stall",
        r"in its own code for .*, at testing/steps\.py:\d+ in _pause; .*",
        stack=" in play",
        stalls=True,
    ),
    "in C": End(HangInC(), "stall", "stall", rf"in its own code for .*, {IN_PLAY}; .*", stack=" in play", stalls=True),
    "SIGSTOP": End(
        Freeze(), "stopped", "stopped", r"by SIGSTOP or the like, for .*; stall_timeout is 0\.3 s", stalls=True
    ),
}


def build(end: End, stamp: Path) -> Graph:
    """Build a pipeline whose middle dies once in the middle of a turn, beside one that has nothing to do with it."""
    graph = Graph("matrix", log_level="warning")
    numbers_tx, numbers_rx = graph.channel(8)
    results_tx, results_rx = graph.channel(8)
    other_tx, other_rx = graph.channel(8, name="other")
    graph.actor("source", pipeline.source, numbers_tx, TOTAL, 1, graph.state(), stall_timeout=STALL)
    mortal = [PassOn(until=AT), Say("what it said last"), Take(), Send([AT]), Stamp(str(stamp)), end.step]
    script = Script.each_life(mortal, [PassOn()])
    policy = RestartPolicy(backoff=0.0, max_backoff=0.0)
    limit = STALL if end.stalls else None
    parts = (numbers_rx, results_tx, graph.state())
    graph.actor("middle", perform, script, *parts, restart=policy, stall_timeout=limit)
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state(), stall_timeout=STALL)
    graph.actor("other source", pipeline.source, other_tx, TOTAL, 1, graph.state())
    graph.actor("other sink", lives.tally, other_rx, graph.state())
    graph.actor("keeper", perform, Script.each_life([LiveOn()]))  # the run goes on until the test has seen enough
    return graph


def check_report(report: DeathReport, end: End) -> None:
    assert (report.actor, report.generation, report.cause, report.kind) == ("middle", 1, end.cause, end.kind)
    hand = report.in_hand
    assert hand is not None
    assert hand["channel"] == "source→middle"
    assert hand["first"] <= AT <= hand["last"]
    assert hand["value"] == str(hand["last"])
    assert end.traceback in report.traceback
    assert end.stack in report.stack
    assert bool(report.traceback) == bool(end.traceback)
    assert bool(report.stack) == bool(end.stack)
    assert report.then.startswith("life 2 began at once from commit ")
    assert report.uptime is not None
    assert 0 < report.uptime < 60
    assert report.peak is not None
    assert report.peak > 1 << 20


class Listener(Watch):
    """Reads what is there of a death as soon as it is told: it comes too soon for whoever begins to watch a run."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root
        self.found: list[DeathReport] = []
        self.at = 0.0

    def __call__(self, event: Event) -> None:
        if isinstance(event, ActorDied):
            self.at = time.monotonic()
            (directory,) = self._root.iterdir()
            self.found.extend(read_reports(directory))  # it is there before anybody is told
        super().__call__(event)


@pytest.mark.parametrize("way", ENDS)
def test_the_cause_is_named_in_time_and_the_result_is_exact(way: str, tmp_path: Path, run_root: Path) -> None:
    end = ENDS[way]
    stamp = tmp_path / "stamp"
    graph = build(end, stamp)
    listener = Listener(run_root)

    def look(run: Run, watch: Watch) -> None:
        died = watch.wait_for(ActorDied, actor="middle")
        assert (died.cause, died.pause) == (end.cause, 0.0)
        assert re.fullmatch(end.detail, died.detail)
        late = listener.at - float(stamp.read_text()) - (STALL if end.stalls else 0.0)
        assert late < 1.0
        # Its last lines come a moment later.
        assert eventually(lambda: "what it said last" in read_reports(run.directory)[0].log)
        events = [json.loads(line) for line in (run.directory / EVENTS_FILE).read_text().splitlines()]
        (line,) = [event for event in events if event["kind"] == "ActorDied"]
        assert line["text"].startswith(f"middle died in life 1 ({end.cause}")
        status = next(actor for actor in read_status(run.directory).actors if actor.name == "middle")
        assert {kind: count for kind, count in status.causes.items() if count} == {end.kind: 1}
        run.request_shutdown()

    outcome = complete(graph, meanwhile=look, watch=listener)
    (report,) = listener.found
    check_report(report, end)
    assert re.search(r"with source→middle \d+( to \d+)? in hand; life 2", outcome.log)
    assert outcome.log.count("middle died in life 1") == 1
    assert len(outcome.watch.all_of(ActorStalled)) == end.stalls

    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    middle = outcome.actor("middle")
    total = outcome.actor("source").state["following"]
    assert total > AT
    assert middle.deaths == [end.cause]
    assert middle.state == {"lives": [1, 2], "taken": total, "sent": total}
    assert outcome.actor("sink").state["seen"] == list(range(total))
    for name in ("source", "sink", "other source", "other sink"):
        assert (outcome.actor(name).generation, outcome.actor(name).deaths) == (1, [])
    assert outcome.actor("other sink").state["in_order"]
