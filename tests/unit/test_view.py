"""What commands write: names and figures as they are, for people at any width, and for programs."""

from __future__ import annotations

import io
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.text import Text

from steady_mp.cli import dump, main, ps, stop, summary, top, view, why
from steady_mp.errors import ConfigurationError, SteadyError
from steady_mp.events import RunStopped, ShutdownRefused
from steady_mp.memory.deaths import DeathReport
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = Path("/dev/full")

#: What rich has pictures for.
PICTURES = ["host:key:1", "2001:db8:a:b::1", ":smile:"]
CAUSE = "ValueError: no route for [/orders] nor for [red]any other[/] thing that was ordered on that long day"


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Show things on a terminal so wide, or in a pipe; gives the lines."""

    def draw(*things: object, width: int | None = None) -> list[str]:
        if width:
            terminal = partial(view.Terminal, force_terminal=True, color_system=None, width=width, height=24)
            monkeypatch.setattr(view, "Terminal", terminal)
        view.show(*things)
        return capsys.readouterr().out.splitlines()

    return draw


def actor(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "state": "running",
        "blocked_on": None,
        "pid": 4_194_304,
        "generation": 17,
        "restarts": 16,
        "deaths": {CAUSE: 12, "SIGKILL": 4},
        "commits": 1_234_567,
        "rss": 512 << 20,
        **more,
    }


def run_of(*actors: dict[str, Any]) -> dict[str, Any]:
    head = {
        "graph": "flow",
        "phase": "running",
        "uptime": 3.0,
        "pid": 1,
        "halted": False,
        "run": "flow.1.2.3.0",
        "url": None,
    }
    return {**head, "deadlocks": [], "actors": list(actors)}


@pytest.mark.parametrize("text", PICTURES)
def test_no_text_becomes_a_picture(text: str, shown: Callable[..., list[str]]) -> None:
    made = view.table("name", left=1)
    made.add_row(text)
    assert [line.strip() for line in shown(text, Text(text), made)] == [text, text, "name", text]


@pytest.mark.parametrize("text", PICTURES)
def test_json_says_what_there_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    view.show_json({"value": text, "cause": CAUSE})
    assert json.loads(capsys.readouterr().out) == {"value": text, "cause": CAUSE}


def test_the_end_of_a_run_shows_no_pictures_either(capsys: pytest.CaptureFixture[str]) -> None:
    each = {"name": ":key:", "generation": 1, "restarts": 1, "deaths": [":smile: [/x]"], "finished": True}
    summary.show({"actors": [each], "channels": [], "exit_code": 1, "why": [":x:"], "wall_time": 1.0, "clean": False})
    out = capsys.readouterr().out
    assert ":key:" in out
    assert ":smile: [/x]" in out
    assert "unclean: :x:" in out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_is_json_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"é": ["→", "\ud800", "\N{KEY}"]}
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding, errors="backslashreplace"))
    view.show_json(data)
    assert json.loads(raw.getvalue().decode(encoding)) == data


def test_json_that_nobody_reads_is_no_failure_and_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        view.show_json([1])
    if FULL.exists():
        with FULL.open("w", encoding="utf-8") as full:
            monkeypatch.setattr("sys.stdout", full)
            with pytest.raises(SteadyError, match="No space left on device"):
                view.show_json([1])


def test_a_broken_pipe_of_stderr_leaves_stdout_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    path = tmp_path / "out"
    with os.fdopen(writer, "w", encoding="utf-8") as closed, path.open("w", encoding="utf-8") as out:
        monkeypatch.setattr("sys.stderr", closed)
        monkeypatch.setattr("sys.stdout", out)
        view.Terminal(stderr=True).print("for people")
        sys.stdout.write("for programs\n")
    assert path.read_text(encoding="utf-8") == "for programs\n"


@pytest.mark.parametrize("width", [80, 120, None])
def test_ps_shows_all_names_and_figures_at_any_width(width: int | None, shown: Callable[..., list[str]]) -> None:
    name = "worker-of-orders"
    lines = shown(*ps._draw(run_of(actor(name), actor("tiny", deaths={}, restarts=0)), 1), width=width)
    (row,) = [line for line in lines if name in line]
    assert {"4194304", "17", "1,234,567", "512"} <= set(row.split())
    assert any(line.startswith("tiny ") for line in lines)
    assert lines[1].split() == ["actor", "state", "pid", "life", "restarts", "commits", "memory"]
    assert all(len(line) <= (width or view.PIPE_WIDTH) for line in lines)
    assert set(f"16 ({CAUSE} x12, SIGKILL x4)".split()) <= set(" ".join(lines[2:]).split())


@pytest.mark.parametrize("width", [40, 80])
def test_what_has_no_room_at_all_makes_the_lines_longer(width: int, shown: Callable[..., list[str]]) -> None:
    channel = "the-generator-of-orders→the-worker-of-all-the-orders"
    lines = shown(*ps._draw(run_of(actor("x", state="blocked", blocked_on=channel)), 1), width=width)
    assert any(line.startswith("x ") and f"blocked on {channel}" in line and "512 MiB" in line for line in lines)


@pytest.mark.parametrize("width", [80, 120, None])
def test_why_shows_all_names_at_any_width(
    width: int | None, shown: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    how = {"cause": CAUSE, "detail": "", "kind": "exception", "status": None, "then": "life 2 began"}
    report = DeathReport(actor="worker", generation=1, pid=None, at=1.8e9, **how)  # type: ignore[arg-type]
    drawn: list[object] = []
    monkeypatch.setattr(why, "show", lambda *things: drawn.extend(things))
    actors = [{"name": "worker", "state": "running", "generation": 2, "restarts": 1}]
    why._draw_actors(why._Case(None, "running", actors, [report], {}))  # type: ignore[arg-type]
    lines = shown(*drawn, width=width)
    assert lines[0].split() == ["actor", "state", "life", "ends", "last", "end"]
    assert lines[1].split()[:4] == ["worker", "running", "2", "1"]
    assert all(len(line) <= (width or view.PIPE_WIDTH) for line in lines)
    assert "".join(CAUSE.split()) in "".join("".join(lines).split())


def test_two_long_texts_share_the_room(shown: Callable[..., list[str]]) -> None:
    made = view.table("letter", "deaths", "cause", "message", left=1, long=("cause", "message"))
    made.add_row("orders→billing@1234567", "3", "word " * 60, "v" * 300)
    lines = shown(made, width=80)
    assert lines[0].split() == ["letter", "deaths", "cause", "message"]
    assert lines[1].startswith("orders→billing@1234567 ")
    assert "".join(lines).count("word") == 60
    assert "".join(lines).count("v") == 300
    assert all(len(line) <= 80 for line in lines)


def test_top_takes_a_cause_with_brackets_as_it_is() -> None:
    each = {**actor(":key:[/]"), "load": 1.0, "mcpu": 2.0, "turns": 3, "alert": None}
    alert = {"text": "[/x] :key:\x1b[2J", "colour": "red"}
    state = {"graph": "[/g]\x1b", "phase": "running", "uptime": 1.0, "summary": "", "alerts": [alert]}
    stream = io.StringIO()
    view.Terminal(file=stream, width=200).print(top.draw({**state, "actors": [each], "channels": []}))
    out = stream.getvalue()
    assert f"16 ({CAUSE} x12, SIGKILL x4)" in out
    assert ":key:[/]" in out
    assert "[/x] :key:" in out
    assert "\x1b" not in out


def test_what_is_not_known_of_another_container_is_no_figure(shown: Callable[..., list[str]]) -> None:
    each = {**actor("far", rss=None), "load": 1.0, "mcpu": None, "turns": 3, "alert": None}
    (row,) = [line for line in shown(*ps._draw(run_of(each), 1)) if line.startswith("far ")]
    assert row.split()[-1] == "-"
    state = {"graph": "flow", "phase": "running", "uptime": 1.0, "summary": "", "alerts": [], "channels": []}
    (row,) = [line for line in shown(top.draw({**state, "actors": [each]})) if line.startswith("far ")]
    assert row.split()[2:7] == ["1", "%", "-", "-", "3"]


def test_top_shown_once_keeps_its_figures_at_any_width(shown: Callable[..., list[str]]) -> None:
    each = {
        **actor("the-worker-of-all-the-orders-of-today"),
        "load": 1.0,
        "mcpu": 2.0,
        "turns": 9_876_543,
        "alert": None,
    }
    state = {"graph": "flow", "phase": "running", "uptime": 1.0, "summary": "", "alerts": [], "channels": []}
    lines = shown(top.draw({**state, "actors": [each]}), width=40)
    assert any(each["name"] in line and "9,876,543" in line and "512 MiB" in line for line in lines)


EVIL = "\x1b]0;owned\x07\u202e"


def test_the_summary_of_top_is_inert(shown: Callable[..., list[str]]) -> None:
    state = {"graph": "flow", "phase": "running", "uptime": 1.0, "alerts": [], "actors": [], "channels": []}
    lines = shown(top.draw({**state, "summary": f"{EVIL}→eat is full"}))
    assert lines[1] == r"\u001b]0;owned\u0007\u202e→eat is full"


def test_a_refusal_is_inert_and_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(**_: object) -> None:
        raise ConfigurationError(f"no actor\n'x': there is {EVIL}, {os.linesep} →")

    monkeypatch.setattr(main, "app", refuse)
    assert main.main(["ps"]) == 2
    assert capsys.readouterr().err == "steady-mp: no actor 'x': there is \\u001b]0;owned\\u0007\\u202e, →\n"


def test_the_summary_of_a_dump_is_inert(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(dump, "collect", lambda *_, **__: {"summary.txt": f"graph {EVIL}\n\n→ is dead\n".encode()})
    with Simulated() as run:
        which, output = str(run.run.path), tmp_path / "it.zip"
        assert dump.dump(which, output=output, payloads=False, timeout=1.0, as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [r"graph \u001b]0;owned\u0007\u202e", "", "→ is dead"]


def test_how_a_run_was_stopped_is_inert(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Simulated(graph=f"flow{EVIL}") as run:

        def end(*_: object, **__: object) -> str:
            run.record(ShutdownRefused(actor=EVIL, reason="busy"))
            run.record(RunStopped(clean=False, exit_code=1, seconds=1.0))
            return "stopped"

        monkeypatch.setattr(stop, "_ask", lambda *_, **__: None)
        monkeypatch.setattr(stop, "_see_it_end", end)
        stop.stop(str(run.run.path), now=False, wait=True, timeout=1.0, as_json=False)
    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.splitlines())
    assert r"flow\u001b]0;owned\u0007\u202e: stopped" in out
