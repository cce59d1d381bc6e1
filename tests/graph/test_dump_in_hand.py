"""`steady-mp dump` keeps the message out of the archive that an actor died over, unless it is asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from steady_mp import Graph, RestartPolicy
from steady_mp.events import ActorStarted
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import LiveOn, Raise, Send, Take
from steady_mp.testing.under_test import GraphUnderTest
from tests.graph.test_dump import dumped
from tests.support.operator import Operator

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)


def test_the_message_in_hand_is_a_payload(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    operator = Operator(capsys)
    graph = Graph("secret", log_level="error")
    tx, rx = graph.channel(8, name="orders")
    graph.actor("giver", perform, Script.each_life([Send(["hush-hush"]), LiveOn()]), tx)
    script = Script.each_life([Take(), Raise(ValueError, "no good")], [LiveOn()])
    graph.actor("taker", perform, script, rx, restart=RestartPolicy(backoff=0.0))
    with GraphUnderTest(graph) as test:
        test.events.wait_for(ActorStarted, actor="taker", generation=2)
        parts = dumped(operator, tmp_path / "without.zip")
        assert not [name for name, text in parts.items() if "hush" in text]
        hand = json.loads(parts["run/actor-1.died-1"])["in_hand"]
        assert (hand["channel"], hand["last"], hand["value"]) == ("orders", 0, "(left out)")
        assert "no good" in parts["run/actor-1.died-1"]  # what it says of itself is in
        parts = dumped(operator, tmp_path / "with.zip", "--payloads")
        assert json.loads(parts["run/actor-1.died-1"])["in_hand"]["value"] == "'hush-hush'"
        test.run.request_shutdown()
        assert test.finish().clean
