"""`state`, `peek`, `health` and `stack` look into real runs: alive, stuck, frozen, and dead; nothing notices."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode
from tests.support.hosts import all_gone
from tests.support.operator import Operator, hosted
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(90)

FLOW = ("source", "middle", "sink")


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
        assert eventually(
            lambda: (operator.types("state", "sink", "--json").data["state"] or {"count": 0})["count"] > 0
        )
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


def test_health_of_a_run_that_works_and_of_none(operator: Operator) -> None:
    told = operator.types("health")
    assert told.status == 1
    assert "nothing runs on this machine" in told.out
    with hosted("flow", *FLOW):
        assert eventually(lambda: operator.types("health").status == 0)
        assert "flow is healthy" in operator.types("health").out
        assert operator.types("health", "--json").data == {"graph": "flow", "healthy": True, "reasons": []}


def test_health_names_who_is_stuck(operator: Operator) -> None:
    with hosted("busy", *FLOW, "busy") as host:
        host.wait_line("spinning busy")

        def reasons() -> list[str]:
            told = operator.types("health", "--stall", "0.5", "--json")
            assert told.status == 1
            return [reason.partition(" for ")[0] for reason in told.data["reasons"]]

        # Where cores are scarce, another one may come to be half a second in its code, but that passes.
        assert eventually(lambda: reasons() == ["busy is stuck: in its own code"])


def test_health_says_that_the_supervisor_is_frozen(operator: Operator) -> None:
    """Nobody would be restarted meanwhile."""
    with hosted("flow", *FLOW) as host:
        assert eventually(lambda: operator.types("health").status == 0)
        host.send(signal.SIGSTOP)
        assert eventually(lambda: operator.types("health").out == "the supervisor is stopped\n")
        host.send(signal.SIGCONT)
        assert eventually(lambda: operator.types("health").status == 0)


def test_who_looks_at_a_run_with_a_frozen_supervisor_sees_it(operator: Operator, tmp_path: Path) -> None:
    with hosted("flow", *FLOW) as host:
        assert "is stopped" not in operator.types("ps").out
        host.send(signal.SIGSTOP)
        assert eventually(lambda: [run["halted"] for run in operator.types("ps", "--json").data] == [True])
        assert f"supervisor {host.pid} is stopped" in operator.types("ps").out
        assert "the supervisor is stopped" in operator.types("top").out
        told = operator.types("dump", "-o", str(tmp_path / "frozen.zip"), "--timeout", "1").out
        assert f"its supervisor is process {host.pid}, which is stopped (SIGSTOP)" in told
        host.send(signal.SIGCONT)
        assert eventually(lambda: [run["halted"] for run in operator.types("ps", "--json").data] == [False])


def test_an_actor_that_a_frozen_fork_server_can_not_bury_is_lost(operator: Operator) -> None:
    """Its words in shared memory are those of a life that waits for work, and stay so."""
    with hosted("flow", *FLOW):
        assert eventually(lambda: operator.types("health").status == 0)
        fork_server = psutil.Process(operator.actors()["middle"]["pid"]).parent()
        assert fork_server is not None
        fork_server.suspend()
        assert eventually(lambda: operator.types("health").out == "the fork server is stopped\n")
        assert operator.types("kill", "middle").status == 0
        assert eventually(lambda: operator.actors()["middle"]["state"] == "lost")
        assert operator.types("health").out.splitlines()[:2] == ["the fork server is stopped", "middle is lost"]
        fork_server.resume()
        assert eventually(lambda: operator.types("health").status == 0)
        assert operator.actors()["middle"]["generation"] > 1


def test_health_names_who_is_frozen_and_who_is_between_two_lives(operator: Operator) -> None:
    with hosted("flow", *FLOW):
        assert eventually(lambda: operator.types("health").status == 0)
        assert operator.types("kill", "middle", "--signal", "STOP").status == 0
        assert eventually(lambda: operator.types("health").out == "middle is stopped\n")
        assert operator.types("kill", "middle").status == 0
        assert eventually(lambda: operator.types("health").status == 0)


def test_health_of_a_run_that_drains_and_of_one_that_is_dead(operator: Operator) -> None:
    with hosted("busy", *FLOW, "busy") as host:  # which drains for long enough to be looked at
        assert operator.types("stop", "--no-wait").status == 0
        assert eventually(lambda: operator.types("health").out == "the graph is draining\n")
        family = host.family()
        host.send(signal.SIGKILL)
        host.wait()
        assert all_gone(family, 10.0)
        (run,) = operator.types("ps", "--json").data
        assert "nothing runs on this machine" in operator.types("health").out
        told = operator.types("health", run["directory"])
        assert told.status == 1
        assert "the supervisor is gone" in told.out


def test_clean_removes_the_dead_and_spares_the_living(operator: Operator, run_root: Path) -> None:
    assert f"nothing to clean in {run_root}" in operator.types("clean").out
    with hosted("flow", *FLOW) as living:
        with hosted("stubborn", *FLOW, "stubborn") as host:
            family = host.family()
            host.send(signal.SIGKILL)
            host.wait()
            assert all_gone(family, 10.0)
            dead = {run["graph"]: run["directory"] for run in operator.types("ps", "--json").data}["stubborn"]
            told = operator.types("clean", "--dry-run", "--json").data
            assert [found["directory"] for found in told["found"]] == [dead]
            assert told["found"][0]["bytes"] > 0
            assert told["removed"] == []
            assert "would be removed" in operator.types("clean", "--dry-run").out
            assert len(list(run_root.iterdir())) == 2
            assert operator.types("clean", "--json").data["removed"] == [dead]
        (left,) = run_root.iterdir()
        assert left.name.startswith("flow.")
        assert living.pid == operator.types("ps", "--json").data[0]["pid"]
        assert "nothing to clean" in operator.types("clean").out


STUCK = ("busy", "hung", "asleep")


def test_stacks_of_actors_that_hang(operator: Operator) -> None:
    with hosted("stuck", *STUCK) as host:
        for name in STUCK:
            host.wait_line(f"{name} is stuck")
        told = operator.types("stack", "--json")
        assert told.status == ExitCode.DRAINED
        answers = {answer["actor"]: answer for answer in told.data}
        for name in STUCK:
            found = answers[name]["stack"]
            assert found.count("(most recent call first):") == 1
            assert "in play" in found  # the step that hangs
            assert " in main" in found  # where its process begins: nothing is missing at the end
            assert found.endswith("\n")
        # Asked again, the answer is as long: nothing is left of the one before.
        again = operator.types("stack", "hung", "--json").data[0]["stack"]
        assert again.count("(most recent call first):") == 1
        shown = operator.types("stack", "hung").out
        assert f"hung, life 1, process {answers['hung']['pid']}:" in shown
        assert [actor["restarts"] for actor in operator.actors().values()] == [0, 0, 0]
        # SIGQUIT goes to the log as before.
        assert operator.types("kill", "hung", "--signal", "QUIT").status == 0
        host.wait_line("most recent call first")


def test_stacks_of_actors_that_work(operator: Operator) -> None:
    """What is asked goes on where it was: all that it did is as it would have been."""
    with hosted("flow", *FLOW) as host:
        for _ in range(10):
            told = operator.types("stack", "--json")
            assert all("most recent call first" in answer["stack"] for answer in told.data)
        assert operator.types("stop").status == ExitCode.DRAINED
        assert host.wait() == ExitCode.DRAINED
        report = host.report()
        assert [actor["restarts"] for actor in report["actors"]] == [0, 0, 0]
        sink = next(actor for actor in report["actors"] if actor["name"] == "sink")
        assert sink["state"]["in_order"]


def test_stacks_of_one_that_cant_answer(operator: Operator) -> None:
    assert "nothing runs" in operator.refused("stack")
    with hosted("flow", *FLOW):
        assert operator.types("kill", "middle", "--signal", "STOP").status == 0
        assert eventually(lambda: operator.actors()["middle"]["state"] == "stopped")
        assert "middle: it is stopped (SIGSTOP)" in operator.refused("stack", "middle")
        told = operator.types("stack", "--json")
        assert told.status == ExitCode.UNCLEAN
        assert [bool(answer["stack"]) for answer in told.data] == [True, False, True]
        assert "no actor 'nobody'" in operator.refused("stack", "nobody")


def test_peek_shows_what_comes_next_and_changes_nothing(operator: Operator) -> None:
    with hosted("flow", *FLOW) as host:
        operator.freezes("sink", "middle->sink", "source->middle")
        first = operator.types("peek", "source->middle", "-n", "3", "--json").data
        assert first["channel"] == "source→middle"
        assert len(first["messages"]) == 3
        # The numbers that source sends are those of their positions.
        start = first["taken"]
        assert first["messages"] == [{"position": n, "value": str(n)} for n in range(start, start + 3)]
        assert operator.types("peek", "source→middle", "-n", "3", "--json").data == first
        shown = operator.types("peek", "source->middle", "-n", "1").out
        assert "in flight" in shown
        assert str(start) in shown
        assert str(start + 1) not in shown.splitlines()[-1]
        assert operator.types("kill", "sink", "--signal", "CONT").status == 0
        for _ in range(20):  # in full flow
            told = operator.types("peek", "source->middle", "--json").data
            assert all(message["value"] == str(message["position"]) for message in told["messages"])
        assert operator.types("stop").status == ExitCode.DRAINED
        assert host.wait() == ExitCode.DRAINED
        report = host.report()
        sink = next(actor for actor in report["actors"] if actor["name"] == "sink")
        assert sink["state"]["in_order"]
        assert {channel["in_flight"] for channel in report["channels"]} == {0}


def test_peek_at_what_is_not_there_and_at_what_is_dead(operator: Operator) -> None:
    assert "nothing runs" in operator.refused("peek", "source->middle")
    with hosted("flow", *FLOW) as host:
        assert "no channel 'x' in graph 'flow': there is source→middle, middle→sink" in operator.refused("peek", "x")
        operator.freezes("sink", "middle->sink", "source->middle")
        family = host.family()
        host.send(signal.SIGKILL)
        host.wait()
        assert all_gone(family, 10.0)
        told = operator.types("peek", "middle->sink", "--json").data
        assert [message["value"] for message in told["messages"]] == [
            str(message["position"]) for message in told["messages"]
        ]
        assert told["messages"]
