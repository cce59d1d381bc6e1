"""A free-threaded Python stays without its lock: an extension that does not allow for that would bring it back."""

from __future__ import annotations

import importlib
import sys
import sysconfig
from dataclasses import dataclass

import pytest

from steady_mp import Actor, Graph, SteadyState

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python always has its lock"),
]


@dataclass
class Lock:
    is_there: bool = True


def has_lock() -> bool:
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def look(actor: Actor, state: SteadyState[Lock]) -> None:
    found = state.acquire(Lock)
    found.is_there = has_lock()
    actor.request_shutdown()


def test_nothing_that_is_loaded_brings_the_lock_back() -> None:
    graph = Graph("free", log_level="error")
    graph.actor("one", look, graph.state())
    report = graph.start().block_until_stopped()
    assert report.actors[0].state == {"is_there": False}
    for loaded in ("steady_mp.cli.main", "steady_mp.telemetry.__main__"):
        importlib.import_module(loaded)
    assert not has_lock()
