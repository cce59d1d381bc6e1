"""Arguments of a simulation that nobody can have meant: one line that names the thing and the mend."""

from __future__ import annotations

import re
from typing import Any

import pytest

from steady_mp import ConfigurationError, Graph
from steady_mp.testing.simulation import Crash, crash_points, explore, simulate
from tests.support import toys


def without_graph() -> None:
    """Take nothing."""


TEXT: Any = "2"
HALVES: Any = 1.5
LIST = "give a list of Crash(actor, point, hit), or their number"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"crashes": [("sink", "commit:epoch", 1)]}, f"crashes has ('sink', 'commit:epoch', 1): {LIST}"),
        (
            {"crashes": Crash("keeper", "commit:epoch")},
            f"crashes Crash(actor='keeper', point='commit:epoch', hit=1): {LIST}",
        ),
        ({"crashes": 1.5}, f"crashes 1.5: {LIST}"),
        (
            {"crashes": [Crash("keeper", "commit:epoch", TEXT)]},
            "hit of commit:epoch in keeper '2': must be a whole number from 1",
        ),
        (
            {"crashes": [Crash("keeper", "commit:epoch", HALVES)]},
            "hit of commit:epoch in keeper 1.5: must be a whole number from 1",
        ),
        ({"shutdown_after": "1"}, "shutdown_after '1': must be a number of seconds from 0"),
        ({"max_steps": 0}, "max_steps 0: must be a whole number from 1"),
        ({"check": True}, "check True: pass a function that asserts something of an Outcome"),
    ],
)
def test_what_neither_simulate_nor_explore_can_use_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(said)}"):
        simulate(toys.line, **arguments)
    with pytest.raises(ConfigurationError, match=f"^{re.escape(said)}"):
        explore(toys.line, **arguments)


def test_seeds_and_switches_are_whole_numbers() -> None:
    seed: Any = "a"
    with pytest.raises(ConfigurationError, match=r"^seed 'a': must be a whole number$"):
        simulate(toys.line, seed=seed)
    with pytest.raises(ConfigurationError, match=r"^seed 'a': must be a whole number$"):
        crash_points(toys.line, seed=seed)
    seeds: Any = 10
    with pytest.raises(ConfigurationError, match=r"^seeds 10: give them one by one, as range\(10\) does$"):
        explore(toys.line, seeds=seeds)
    only: Any
    for only in (3, ["3"], [-1]):
        with pytest.raises(ConfigurationError, match=re.escape(f"only {only!r}: give a list of numbers of switches")):
            simulate(toys.line, only=only)
    after: Any = "1"
    with pytest.raises(ConfigurationError, match=r"^shutdown_after '1': must be a number of seconds from 0"):
        crash_points(toys.line, shutdown_after=after)


@pytest.mark.parametrize(
    ("build", "args", "said"),
    [
        (toys.ticking, 5, "ticking can't be called as ticking(graph, 5): too many positional arguments"),
        (without_graph, None, "without_graph can't be called as without_graph(graph): too many positional arguments"),
        (
            Graph("x"),
            None,
            "graph 'x' is declared already, and each run needs a new one: pass a function build(graph, args)",
        ),
        ("x", None, "'x' is no graph: pass a function build(graph, args)"),
    ],
)
def test_what_declares_no_graph_is_refused(build: Any, args: object, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(said)}"):
        simulate(build, args)
    with pytest.raises(ConfigurationError, match=f"^{re.escape(said)}"):
        crash_points(build, args)
