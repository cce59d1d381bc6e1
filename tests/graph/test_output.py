"""What actors print and log: whole lines, in order, the last one before a SIGKILL too; nobody waits for a terminal."""

from __future__ import annotations

import io
import re
import threading
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, Recycle, log_output
from steady_mp.events import ActorFinished
from tests.support import pipeline, speech
from tests.support.gates import Lines
from tests.support.runs import complete

if TYPE_CHECKING:
    from steady_mp import Event

pytestmark = pytest.mark.timeout(60)


def test_whole_lines_in_order() -> None:
    graph = Graph("talk")
    for word in "abc":
        graph.actor(word, speech.talk, word, 50, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    for word in "abc":
        lines = [line for line in outcome.log.splitlines() if re.match(rf"\S+ {word} ", line)]
        printed = [line.split(" ", 2)[2].strip() for line in lines if "<" in line]
        assert printed == [f"<{number} {word * speech.LONG}>" for number in range(50)]
    # An entry of two lines stays together: the second one is the first one's, indented.
    assert len(re.findall(r"WARNING: \{\d+\n +of [abc]\}", outcome.log)) == 15


def test_last_words() -> None:
    graph = Graph("last")
    graph.actor("speaker", speech.last_words, graph.state())
    outcome = complete(graph)
    assert outcome.actor("speaker").deaths == ["SIGKILL"]
    assert re.findall(r"(?m)^\S+ speaker +(.*)$", outcome.log) == [
        "printed",
        "to stderr",
        "ERROR: logged by a library",
        "below Python",
        "by a child",
        r"\n stays \n, ä stays ä, \udc80 does not break it",
        "logged last",
        "without an end",
    ]


def test_the_standard_output_that_a_module_holds_on_to_is_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # with it, each process writes at once
    graph = Graph("held")
    graph.actor("speaker", speech.hold)
    assert re.findall(r"(?m)^\S+ speaker +(.*)$", complete(graph).log) == ["through what it had"]


def test_who_has_no_standard_output_is_recycled_and_ends_as_any_other() -> None:
    graph = Graph("mute")
    tx, rx = graph.channel(64)
    graph.actor("source", speech.mute, tx, 50, graph.state(), recycle=Recycle(max_messages=20))
    graph.actor("sink", pipeline.sink, rx, 1, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("source").deaths == []
    assert outcome.actor("source").generation > 1


def test_half_a_line_that_was_not_flushed_goes_with_its_process() -> None:
    graph = Graph("half")
    graph.actor("speaker", speech.half_a_line, graph.state())
    assert re.findall(r"(?m)^\S+ speaker +(.*)$", complete(graph).log) == ["whole"]


def test_each_life_signs_with_its_number() -> None:
    graph = Graph("lives")
    graph.actor("speaker", speech.talk, "x", 3, graph.state())
    graph.faults["speaker"] = [{"point": "commit:begin", "hit": 2, "generations": [1]}]
    log = complete(graph).log
    assert re.search(r" speaker +<0 ", log)
    assert re.search(r" speaker#2 +<1 ", log)


class Stalled(Lines):
    """A terminal that takes nothing before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.go_on.wait()
        return super().write(text)


def test_a_stalled_terminal_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is too slow for is dropped, counted, and said."""
    total = 20_000
    monkeypatch.setattr(log_output, "_MOST_LINES", 1000)
    graph = Graph("stalled", log_level="error")
    graph.actor("chatter", speech.chatter, total, graph.state())
    output = Stalled()

    def let_go(event: Event) -> None:
        if isinstance(event, ActorFinished):
            output.go_on.set()

    with graph.start(output=output, on_event=let_go) as run:
        report = run.block_until_stopped(30)
    assert report.exit_code is ExitCode.DRAINED
    assert report.actors[0].state == {"count": total}
    lines = output.all()
    dropped = sum(int(match[1]) for line in lines if (match := re.search(r"… (\d+) lines dropped", line)))
    shown = sum("line " in line for line in lines)
    assert dropped > 0
    assert dropped + shown == total


def test_a_terminal_that_knows_few_characters_gets_all_lines() -> None:
    graph = Graph("ascii")
    graph.actor("speaker", speech.last_words, graph.state())
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with graph.start(output=plain) as run:
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED
    plain.seek(0)
    log = plain.read()
    assert r"\xe4 stays \xe4" in log
    assert "printed" in log
    assert "without an end" in log


def test_a_terminal_that_went_away_stops_nobody() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    graph = Graph("gone")
    graph.actor("speaker", speech.talk, "x", 20, graph.state())
    with graph.start(output=Gone()) as run:
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED
