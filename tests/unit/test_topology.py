"""A graph as declared data: what is counted, named and handed on before anything runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, Graph, RestartPolicy
from steady_mp.memory.layout import PAGE
from steady_mp.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Actor, Rx, SteadyState, Tx


def source(_actor: Actor, *_outputs: Tx[int]) -> None:
    """Stand for any behavior that sends."""


def sink(_actor: Actor, *_inputs: Rx[int]) -> None:
    """Stand for any behavior that takes."""


def keeper(_actor: Actor, _state: SteadyState[int], _rest: object = None) -> None:
    """Stand for any behavior with a state."""


def joined(**options: Any) -> Graph:
    graph = Graph("joined")
    tx, rx = graph.channel(**options)
    graph.actor("a", source, tx)
    graph.actor("b", sink, rx)
    return graph


def test_channels_are_named_after_their_actors_unless_they_have_a_name() -> None:
    graph = Graph("names")
    ends = [graph.channel(), graph.channel(name="orders"), graph.channel()]
    graph.actor("a", source, *(tx for tx, _ in ends))
    graph.actor("b", sink, *(rx for _, rx in ends))
    assert [channel.name for channel in graph.plan().channels] == ["a→b", "orders", "a→b#3"]


def test_lanes_of_a_bundle_are_channels_of_their_own() -> None:
    graph = Graph("bundle")
    txs, rxs = graph.channel_bundle(3, capacity=5, name="lane")
    graph.actor("a", source, txs)
    for index, rx in enumerate(rxs):
        graph.actor(f"b{index}", sink, rx)
    plan = graph.plan()
    assert [(c.name, c.capacity, c.producer, c.consumer) for c in plan.channels] == [
        ("lane[0]", 5, 0, 1),
        ("lane[1]", 5, 0, 2),
        ("lane[2]", 5, 0, 3),
    ]


@pytest.mark.parametrize(
    ("options", "ring_bytes"),
    [
        ({}, 1 << 20),
        ({"capacity": 1 << 20}, 64 << 20),
        ({"ring_bytes": PAGE}, PAGE),
        ({"ring_bytes": PAGE + 1}, 2 * PAGE),
    ],
)
def test_a_ring_has_whole_pages_and_room_for_small_messages(options: dict[str, int], ring_bytes: int) -> None:
    assert joined(**options).plan().channels[0].ring_bytes == ring_bytes


def test_the_ends_of_an_actor_are_in_the_order_of_its_arguments_however_deep() -> None:
    graph = Graph("deep")
    first, second, third = graph.channel(), graph.channel(), graph.channel()
    graph.actor("a", source, {"x": [second[0]]}, (first[0], third[1]))
    graph.actor("b", sink, first[1], [second[1], {"y": third[0]}])
    plan = graph.plan()
    assert [(end.channel, end.sends) for end in plan.actors[0].ends] == [(1, True), (0, True), (2, False)]
    assert [(end.channel, end.sends) for end in plan.actors[1].ends] == [(0, False), (1, False), (2, True)]


def test_a_channel_from_an_actor_to_itself_is_one() -> None:
    graph = Graph("loop")
    tx, rx = graph.channel()
    graph.actor("a", source, tx, rx)
    (channel,) = graph.plan().channels
    assert (channel.name, channel.producer, channel.consumer) == ("a→a", 0, 0)


@pytest.mark.parametrize("names", [("numbers", "numbers"), (None, "a→b"), (None, None, "a→b#2")])
def test_a_name_means_one_channel(names: tuple[str | None, ...]) -> None:
    graph = Graph("namesakes")
    ends = [graph.channel(name=name) for name in names]
    graph.actor("a", source, [tx for tx, _ in ends])
    graph.actor("b", sink, [rx for _, rx in ends])
    with pytest.raises(ConfigurationError, match=f"two channels are called '{names[-1]}': give each its own name"):
        graph.plan()


def test_channels_without_a_name_between_the_same_actors_are_told_apart() -> None:
    graph = Graph("twins")
    ends = [graph.channel() for _ in range(3)]
    graph.actor("a", source, [tx for tx, _ in ends])
    graph.actor("b", sink, [rx for _, rx in ends])
    assert [channel.name for channel in graph.plan().channels] == ["a→b", "a→b#2", "a→b#3"]


def test_each_actor_has_its_policy() -> None:
    graph = Graph("policies")
    strict = RestartPolicy(threshold=0)
    graph.actor("a", source, restart=strict)
    graph.actor("b", source)
    assert graph.policies == [strict, RestartPolicy()]


def test_a_state_belongs_to_one_actor() -> None:
    graph = Graph("states")
    state = graph.state()
    graph.actor("a", keeper, state, state)
    with pytest.raises(ConfigurationError, match="'b': state 0 belongs to actor 'a' already"):
        graph.actor("b", keeper, state)


def test_two_graphs_have_nothing_in_common() -> None:
    one, two = Graph("one"), Graph("two")
    tx, _ = one.channel()
    two.channel()
    with pytest.raises(ConfigurationError, match="the sending end of channel 0 belongs to another graph"):
        two.actor("a", source, tx)


def test_who_is_refused_claims_nothing() -> None:
    """Else its ends would be those of the next actor, which was never handed them."""
    graph = Graph("claims")
    (first, orders), (second, taken) = graph.channel(name="orders"), graph.channel(name="taken")
    state = graph.state()
    graph.actor("a", source, first, second)
    graph.actor("b", sink, taken)
    with pytest.raises(ConfigurationError, match="'c': the receiving end of channel 'taken' belongs to actor 'b'"):
        graph.actor("c", keeper, state, [orders, taken])
    graph.actor("d", source)
    graph.actor("e", keeper, state, orders)
    plan = graph.plan()
    assert [(channel.name, channel.consumer) for channel in plan.channels] == [("orders", 3), ("taken", 1)]
    assert [actor.states for actor in plan.actors] == [(), (), (), (0,)]


def test_a_plan_says_which_modules_to_preload() -> None:
    plan = joined().plan()
    assert plan.modules == (__name__,)
    assert plan.main is None
    assert [actor.behavior for actor in plan.actors] == [f"{__name__}:source", f"{__name__}:sink"]


def test_what_python_passes_over_in_its_path_no_process_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path), tmp_path / "library", *sys.path])
    plan = joined().plan()
    assert plan.path[0] == str(tmp_path)
    assert len(plan.path) == len(sys.path) - 1
    assert Plan.from_json(plan.to_json()) == plan


def test_declaring_starts_nothing_and_can_be_done_again() -> None:
    graph = joined()
    assert graph.plan() == graph.plan()
