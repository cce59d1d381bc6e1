"""`state`, `peek`, `health` and `stack` look into real runs: alive, stuck, frozen, and dead; nothing notices."""

from __future__ import annotations

import signal

import pytest

from steady_mp import ExitCode
from tests.support.hosts import all_gone
from tests.support.operator import Operator, hosted
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(90)

FLOW = ("source", "middle", "sink")


@pytest.fixture
def operator(capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(capsys)


def test_the_state_of_an_actor_that_works(operator: Operator) -> None:
    with hosted("flow", *FLOW):
        assert eventually(lambda: operator.types("state", "sink", "--json").data["state"] is not None)
        before = operator.actors()
        last = -1
        for _ in range(20):
            told = operator.types("state", "sink", "--json").data
            # A mixture of two commits would have another sum.
            found = told["state"]
            assert found["total"] == found["count"] * (found["count"] - 1) // 2
            assert found["in_order"]
            assert found["count"] >= last
            last = found["count"]
        assert [actor["pid"] for actor in operator.actors().values()] == [actor["pid"] for actor in before.values()]
        shown = operator.types("state", "sink").out
        assert "sink as of commit" in shown
        assert '"in_order": true' in shown


def test_the_state_of_one_that_is_stuck_frozen_or_without_any(operator: Operator) -> None:
    with hosted("busy", *FLOW, "busy") as host:
        host.wait_line("spinning busy")
        assert operator.types("state", "busy", "--json").data["state"] is None
        assert "it has committed" in operator.types("state", "busy").out
        assert operator.types("kill", "sink", "--signal", "STOP").status == 0
        assert eventually(lambda: operator.actors()["sink"]["state"] == "stopped")
        frozen = operator.types("state", "sink", "--json").data
        assert frozen["state"]["count"] > 0
        assert operator.types("state", "sink", "--json").data == frozen
        assert "no actor 'nobody'" in operator.refused("state", "nobody")


def test_the_state_of_a_run_that_is_dead(operator: Operator) -> None:
    assert "nothing runs" in operator.refused("state", "sink")
    with hosted("flow", *FLOW) as host:
        assert eventually(lambda: operator.types("state", "sink", "--json").data["state"] is not None)
        family = host.family()
        host.send(signal.SIGKILL)
        host.wait()
        assert all_gone(family, 10.0)
        told = operator.types("state", "sink", "--json")
        assert told.status == ExitCode.DRAINED
        assert told.data["state"]["in_order"]
