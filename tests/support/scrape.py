"""Asking what telemetry serves, and a real Prometheus that asks it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import Telemetry
from steady_mp.serving import listen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steady_mp import Actor, Rx

_PATIENCE = 10.0


def linger(actor: Actor) -> None:
    """Keep a graph alive until it is asked to stop."""
    while actor.is_running():
        actor.await_for_all(actor.wait_shutdown())


def hoard(actor: Actor, numbers: Rx[int]) -> None:
    """Take nothing until the graph is asked to stop."""
    while actor.is_running():
        actor.await_for_all(actor.wait_shutdown())
        numbers.take_slice(numbers.avail())


def get(url: str) -> tuple[int, bytes]:
    """Return status and body of an address."""
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - our own
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def state(url: str | None) -> dict[str, Any]:
    """Return what /api/state says."""
    status, body = get(f"{url}api/state")
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def needed(program: str, package: str) -> str:
    """Return the path of a program: a test that lacks it is skipped at home and fails in CI."""
    path = shutil.which(program)
    if path is None:
        message = f"{program} is missing: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


class Prometheus:
    """A Prometheus of this test's own, by its query API."""

    def __init__(self, port: int) -> None:
        self._port = port

    def query(self, expression: str) -> dict[tuple[str, ...], float] | None:
        """Return the values by labels (in the order of their names), or None while it can't answer."""
        address = f"http://127.0.0.1:{self._port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            status, body = get(address)
        except OSError:
            return None
        if status != 200:
            return None
        found = json.loads(body)["data"]["result"]
        ignored = {"__name__", "instance", "job"}
        return {
            tuple(value for name, value in sorted(each["metric"].items()) if name not in ignored): float(
                each["value"][1]
            )
            for each in found
        }


@contextmanager
def prometheus(target: str, folder: Path) -> Iterator[Prometheus]:
    """Start a Prometheus that scrapes `target` five times a second."""
    program = needed("prometheus", "prometheus")
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
        f"scrape_configs: [{{job_name: test, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    listening, _ = listen(Telemetry(port=0))
    port = listening.getsockname()[1]
    listening.close()
    command = [
        *(program, f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield Prometheus(port)
    finally:
        process.kill()
        process.wait()
