"""The plan of a run as data: what is written to graph.json is what every process reads."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from actors import Args, build_graph
from steady_mp import Graph
from steady_mp.memory import layout
from steady_mp.memory.layout import PAGE
from steady_mp.plan import Plan, actor_file, channel_file

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, SteadyState, Tx


def hop(actor: Actor, inputs: list[Rx[int]], outputs: list[Tx[int]]) -> None:
    """Stand for any behavior."""


def keeper(actor: Actor, end: Tx[int] | Rx[int] | None, states: list[SteadyState[int]]) -> None:
    """Stand for one with states."""


def plan_of(*edges: str) -> Plan:
    """Make the plan of a graph of one-letter actors: "ab" is a channel from a to b."""
    graph = Graph("letters")
    ends = {edge: graph.channel() for edge in edges}
    for name in sorted(set("".join(edges))):
        inputs = [rx for edge, (_, rx) in ends.items() if edge[1] == name]
        outputs = [tx for edge, (tx, _) in ends.items() if edge[0] == name]
        graph.actor(name, hop, inputs, outputs)
    return graph.plan()


def example() -> Plan:
    graph = Graph("example")
    build_graph(graph, Args())
    return graph.plan()


@pytest.mark.parametrize("main", [None, ("module", "package.main"), ("path", "/some/where.py")])
def test_a_plan_survives_its_journey_through_json(main: tuple[str, str] | None) -> None:
    faults = {"worker": [{"point": "commit:epoch", "hit": 2, "generations": [1, 2]}]}
    plan = dataclasses.replace(example(), main=main, faults=faults)
    text = plan.to_json()
    assert Plan.from_json(text) == plan
    assert Plan.from_json(text).to_json() == text
    assert json.loads(text)["layout_version"] == layout.LAYOUT_VERSION


def test_a_graph_plans_the_kills_that_a_test_has_asked_for() -> None:
    graph = Graph("kills")
    graph.actor("one", keeper, None, [])
    graph.faults["one"] = [{"point": "commit:epoch", "hit": 1, "generations": [1]}]
    assert graph.plan().faults == graph.faults


def test_the_plan_of_the_example_says_who_is_at_which_end() -> None:
    plan = example()
    names = [actor.name for actor in plan.actors]
    assert names == ["heartbeat", "generator", "worker", "logger"]
    assert [(c.name, names[c.producer], names[c.consumer], c.capacity) for c in plan.channels] == [
        ("heartbeat→worker", "heartbeat", "worker", 64),
        ("generator→worker", "generator", "worker", 64),
        ("worker→logger", "worker", "logger", 64),
    ]
    assert [(end.channel, end.sends) for end in plan.actors[2].ends] == [(0, False), (1, False), (2, True)]


def stateful(*declared: str) -> Plan:
    """Make the plan of a graph of actors a and b, with a state declared for each letter, in this order."""
    graph = Graph("stateful")
    states: dict[str, list[SteadyState[int]]] = {"a": [], "b": []}
    for name in declared:
        states[name].append(graph.state())
    tx, rx = graph.channel()
    graph.actor("a", keeper, tx, states["a"])
    graph.actor("b", keeper, rx, states["b"])
    return graph.plan()


@pytest.mark.parametrize(
    ("before", "now"),
    [("", ""), ("ab", "ab"), ("b", "b"), ("b", "ba"), ("ab", "abba"), ("ba", "bab"), ("", "a")],
)
def test_states_that_are_declared_behind_all_others_change_nothing(before: str, now: str) -> None:
    old = Plan.from_json(stateful(*before).to_json())
    assert old.differences(stateful(*now)) == []


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("b", "ab", "actor b: it has state 1 instead of state 0"),
        ("ab", "ba", "actor a: it has state 1 instead of state 0"),
        ("bb", "bab", "actor b: it has states 0, 2 instead of states 0, 1"),
        ("ab", "b", "actor a: it has no state instead of state 0"),
        ("bb", "b", "actor b: it has state 0 instead of states 0, 1"),
    ],
)
def test_states_that_another_declaration_has_moved_are_named_with_the_mend(before: str, now: str, told: str) -> None:
    differences = stateful(*before).differences(stateful(*now))
    assert differences[0] == f"{told} (they count as declared: keep that order, with new ones last)"


def test_states_handed_over_in_another_order_are_named() -> None:
    plans = []
    for turned in (False, True):
        graph = Graph("stateful")
        states = [graph.state(), graph.state()]
        graph.actor("a", keeper, None, states[::-1] if turned else states)
        plans.append(graph.plan())
    assert plans[0].differences(plans[1])[0].startswith("actor a: it has states 1, 0 instead of states 0, 1 ")


def test_a_plan_that_was_written_before_states_were_in_it_is_read_and_finds_no_difference() -> None:
    data = json.loads(stateful("b").to_json())
    for actor in data["actors"]:
        del actor["states"]
    old = Plan.from_json(json.dumps(data))
    assert old.differences(stateful("a", "b")) == []
    assert stateful("a", "b").differences(old) == []


def test_its_files_are_those_of_the_run_directory_with_their_sizes() -> None:
    plan = example()
    files = plan.files()
    assert set(files) == {"run", *map(channel_file, range(3)), *(actor_file(index, "control") for index in range(4))}
    assert all(size % PAGE == 0 for size in files.values())
    assert files[channel_file(0)] == PAGE + plan.channels[0].ring_bytes
    assert files[actor_file(2, "control")] == layout.control_bytes(3)


@pytest.mark.parametrize(
    ("edges", "start", "goal", "around", "expected"),
    [
        (("ab", "bc"), "a", "c", "x", True),
        (("ab", "bc"), "a", "c", "b", False),
        (("ab", "bc"), "c", "a", "x", False),
        (("ab", "ac", "bd", "cd"), "b", "d", "a", True),
        (("ab", "ac", "bd", "cd"), "b", "c", "a", False),
        (("ab", "bc", "ca"), "b", "a", "x", True),
        (("ab", "bc", "cb"), "b", "b", "a", True),
        (("ab", "bc", "cd", "db"), "b", "a", "x", False),
    ],
)
def test_one_actor_leads_to_another_where_messages_can_go(
    edges: tuple[str, ...], start: str, goal: str, around: str, expected: object
) -> None:
    plan = plan_of(*edges)
    index = {actor.name: number for number, actor in enumerate(plan.actors)}
    assert plan.leads(index[start], index[goal], index.get(around, -1)) is expected


@pytest.mark.parametrize(
    ("edges", "one", "other", "around", "expected"),
    [
        (("ab", "bc"), "c", "a", "x", True),
        (("ab", "bc"), "c", "a", "b", False),
        (("ab", "ac", "bd", "cd"), "b", "c", "a", True),
        (("ab", "ac", "bd", "ce"), "b", "c", "a", False),
    ],
)
def test_channels_connect_in_both_directions(
    edges: tuple[str, ...], one: str, other: str, around: str, expected: object
) -> None:
    plan = plan_of(*edges)
    index = {actor.name: number for number, actor in enumerate(plan.actors)}
    parts = plan.parts(without=index.get(around, -1))
    assert (parts[index[one]] == parts[index[other]]) is expected
