"""The page before a real run: `steady-mp run`, its telemetry process, and what becomes of them."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.browser import scenes
from tests.support.hosts import Process, all_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.browser import Browser

_PATIENCE = 30.0
COMMAND = Path(sys.executable).with_name("steady-mp")


class Pipeline:
    """A run, seen from outside."""

    def __init__(self, process: Process) -> None:
        self.process = process
        found = re.search(r"http://[\d.]+:\d+", process.wait_line("http://"))
        assert found, process.output
        self.url = found[0] + "/"

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.url + "api/state", timeout=_PATIENCE) as answer:  # noqa: S310 - the test's own server
            found: dict[str, Any] = json.load(answer)
        return found

    def actor(self, name: str) -> dict[str, Any]:
        return next(actor for actor in self.state()["actors"] if actor["name"] == name)

    def telemetry(self) -> psutil.Process:
        """Return the telemetry process that lives now."""
        for process in self.process.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "--fd" in process.cmdline():  # the socket that only telemetry is handed
                    return process
        message = "no telemetry process"
        raise AssertionError(message)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Pipeline]:
    """Run a graph; whatever the test does to it, all of it is gone afterwards."""
    with Process(str(COMMAND), "run", *arguments) as process:
        pipeline = Pipeline(process)
        family = process.family()
        try:
            yield pipeline
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send(signal.SIGINT)
                process.wait()
        assert all_gone(family, _PATIENCE)


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    """Run the example, ten beats a second."""
    with running("--rate", "100", "--beats", "100000") as found:
        yield found


def figures(browser: Browser) -> list[str]:
    return browser.texts("#actor-table .pairs")


def test_the_page_shows_the_running_pipeline(browser: Browser, pipeline: Pipeline) -> None:
    browser.open(pipeline.url)
    browser.until_says("#status-text", "Live", _PATIENCE)
    assert browser.texts(".node-name") == ["heartbeat", "generator", "worker", "logger"]
    assert len(browser.texts(".edge")) == 3
    seen = figures(browser)
    browser.until(lambda: figures(browser) != seen, "figures that move")
    browser.until_says("#verdict-text", "generator→worker is full", _PATIENCE)
    browser.until(
        lambda: browser.text(".edge[data-alert=red] .edge-fill") == "full", "the full channel in red", _PATIENCE
    )
    browser.until(lambda: any("Falling behind" in tile for tile in browser.texts(".tile")), "falling behind")
    browser.until_says("#alerts [data-alert=red]", "generator→worker")
    browser.shifts()
    as_of = browser.text("#as-of")
    browser.until(lambda: browser.text("#as-of") != as_of, "the next second")
    as_of = browser.text("#as-of")
    browser.until(lambda: browser.text("#as-of") != as_of, "the second after it")
    assert browser.shifts() == []
    assert browser.logs() == []
    assert browser.strangers(pipeline.url) == []


def test_an_actor_killed_from_outside_shows_its_restart_and_cause(browser: Browser, pipeline: Pipeline) -> None:
    browser.open(pipeline.url)
    browser.until_says("#status-text", "Live", _PATIENCE)
    browser.until(lambda: pipeline.actor("worker")["turns"] > 0, "a worker at work", _PATIENCE)
    psutil.Process(pipeline.actor("worker")["pid"]).kill()
    browser.until_says("#restarts", "worker · 1 time", _PATIENCE)
    browser.until_says("#restarts", "Cause: SIGKILL")
    browser.until(lambda: any("worker died in life 1 (SIGKILL)" in t for t in browser.texts("#events li")), "the death")
    assert re.fullmatch(r"\d\d:\d\d:\d\d", browser.text("#restarts time"))
    browser.until(lambda: "life 2" in browser.texts(".node-life"), "the second life", _PATIENCE)
    browser.until(lambda: any("SIGKILL" in tile for tile in browser.texts(".tile")), "the cause at a glance")
    browser.until_says("#announce", "worker died in life 1 (SIGKILL)")
    assert browser.text("#status-text") == "Live"
    assert browser.logs() == []


def test_telemetry_frozen_and_killed_is_stale_and_then_live_again(browser: Browser, pipeline: Pipeline) -> None:
    browser.open(pipeline.url)
    browser.until_says("#status-text", "Live", _PATIENCE)
    process = pipeline.telemetry()
    browser.time_stale()
    process.suspend()
    assert browser.stale_after() < 4.0
    taken = figures(browser)
    process.kill()
    browser.until_says("#status-text", "Live", _PATIENCE)
    browser.until(lambda: figures(browser) != taken, "the graph went on meanwhile")
    assert pipeline.telemetry().pid != process.pid
    assert [actor["restarts"] for actor in pipeline.state()["actors"]] == [0, 0, 0, 0]


def test_a_killed_supervisor_is_stale(browser: Browser, pipeline: Pipeline, run_root: Path) -> None:
    browser.open(pipeline.url)
    browser.until_says("#status-text", "Live", _PATIENCE)
    family = pipeline.process.family()
    browser.time_stale()
    pipeline.process.send(signal.SIGKILL)
    assert browser.stale_after() < 4.0
    pipeline.process.wait()
    assert all_gone(family, _PATIENCE)
    assert browser.text("#status-text").startswith("STALE since ")
    for left in run_root.iterdir():
        shutil.rmtree(left)  # after kill -9 of the supervisor the folder stays until the next start, as promised


def test_hostile_names_of_a_real_graph_are_inert(browser: Browser) -> None:
    with running("tests.browser.hostile:build_graph") as run:
        browser.open(run.url)
        browser.until_says("#status-text", "Live", _PATIENCE)
        assert browser.texts(".node-name")[:2] == scenes.HOSTILE[:2]
        for selector in (".node", ".edge"):
            browser.js("document.querySelectorAll(arguments[0]).forEach((node) => node.click())", selector)
        assert not browser.js("return document.title").startswith("owned")
        assert browser.js("return document.querySelectorAll('main script, aside script, main img').length") == 0
        assert browser.logs() == []
        assert browser.strangers(run.url) == []
