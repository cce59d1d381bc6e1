"""Sixteen actors that talk while they are killed: every line is whole, and what is missing was counted."""

from __future__ import annotations

import io
import json
import re
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode, Graph, LogSettings, log_output
from steady_mp.chaos import Monkey
from steady_mp.events import ActorFinished
from steady_mp.log_format import SELF
from tests.support import speech

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from steady_mp import Event

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

ACTORS = 16
LINES = 10_000
SPOKEN = re.compile(r"<(\d+)> (printed ä \{\}$|logged\nin \"two\" lines$|failed\nTraceback )")
FACTS = {"time", "level", "actor", "generation", "pid", "seq", "message"}


class Stalled(io.StringIO):
    """A terminal that takes nothing before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.go_on.wait()
        return super().write(text)


class Heard:
    """What one output has of the log; every line of it must be an object with all facts."""

    def __init__(self, lines: Iterable[str]) -> None:
        entries = [json.loads(line) for line in lines]
        assert all(entry.keys() - {"dropped"} == FACTS for entry in entries)
        self.dropped: int = sum(entry.get("dropped", 0) for entry in entries)
        self.entries = [entry for entry in entries if "dropped" not in entry]
        self.check()

    @property
    def sent(self) -> int:
        """How many there must have been."""
        return len(self.entries) + self.dropped

    def check(self) -> None:
        """Hold it against what was committed, which is every line from 0 to the last."""
        said: dict[str, set[int]] = defaultdict(set)
        lives: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
        for entry in self.entries:
            lives[entry["actor"], entry["generation"]].append(entry)
            if entry["actor"] != SELF:
                match = SPOKEN.match(entry["message"])
                assert match, entry
                said[entry["actor"]].add(int(match[1]))
        seqs = [[entry["seq"] for entry in life] for life in lives.values()]
        assert all(each == sorted(set(each)) for each in seqs)  # in order, none twice
        pids = [{entry["pid"] for entry in life} for life in lives.values()]
        assert all(len(each) == 1 for each in pids)
        assert len(set.union(*pids)) == len(lives)
        assert sum(LINES - len(said[str(number)]) for number in range(ACTORS)) <= self.dropped
        assert sum(each[-1] - len(each) for each in seqs) <= self.dropped


def test_every_line_is_whole_and_what_is_missing_was_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal stalls until the first actor has finished; the file keeps up, and nobody waits for either."""
    monkeypatch.setattr(log_output, "_MOST_LINES", 20_000)
    graph = Graph("choir")
    for number in range(ACTORS):
        graph.actor(str(number), speech.recite, LINES, graph.state())
    screen = Stalled()
    log = LogSettings(format="json", file=tmp_path / "log", file_size=2_000_000, file_count=1000)

    def let_go(event: Event) -> None:
        if isinstance(event, ActorFinished):
            screen.go_on.set()

    with graph.start(output=screen, log=log, on_event=let_go) as run:
        with Monkey(run, rate=30, seed=5) as monkey:
            report = run.block_until_stopped(150)
        dropped = run._logs.dropped
    assert report.exit_code is ExitCode.DRAINED
    assert monkey.kills > 5
    assert all(actor.state == {"count": LINES} for actor in report.actors)

    files = sorted(tmp_path.iterdir(), key=lambda path: int(path.suffix[1:] or 0), reverse=True)
    assert len(files) > 2
    written = Heard(line for each in files for line in each.read_text(encoding="utf-8").splitlines())
    shown = Heard(screen.getvalue().splitlines())
    assert shown.dropped > 0
    assert shown.dropped + written.dropped == dropped
    assert shown.sent == written.sent >= ACTORS * LINES
