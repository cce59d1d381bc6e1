"""`why` at runs that are alive, stuck, given up, dead and gone; what stays of a run that did not end well."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode
from tests.support.ends import make_group
from tests.support.hosts import HOST, Process, all_gone
from tests.support.operator import Operator, hosted
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(90)

FLOW = ("source", "middle", "sink")


def test_why_of_a_run_that_is_alive(operator: Operator) -> None:
    assert "nothing runs" in operator.refused("why")
    with hosted("flow", *FLOW) as host:
        told = operator.types("why", "middle")
        assert told.status == ExitCode.DRAINED
        assert "in life 1; it has not died" in told.out
        assert operator.types("why", "--json").data["reports"] == []
        for life in (2, 3):
            assert operator.types("kill", "middle").status == 0
            host.wait_line(f"started middle {life} ")
        host.wait_line("middle died in life 2 (SIGKILL)")
        told = operator.types("why", "middle")
        assert "middle, life 2, process " in told.out
        assert "  cause    SIGKILL\n" in told.out
        assert re.search(r"  then     life 3 began 0\.0\d s later from commit \d", told.out)
        assert "MiB of memory at most, committed " in told.out
        found = operator.types("why", "--all", "--json").data
        assert [(report["actor"], report["generation"]) for report in found["reports"]] == [
            ("middle", 1),
            ("middle", 2),
        ]
        assert {actor["name"]: actor["last"] for actor in found["actors"]} == {
            "source": None,
            "middle": "SIGKILL",
            "sink": None,
        }
        shown = operator.types("why").out
        assert "flow  running" in shown
        assert "middle, life 2, process " in shown  # the last failure, in full
        assert "no actor 'nobody' in graph 'flow': there is source, middle, sink" in operator.refused("why", "nobody")
        assert "no run 'nothing'" in operator.refused("why", "--run", "nothing")


def test_why_and_ps_name_one_that_is_stuck_and_then_one_that_is_stopped(operator: Operator) -> None:
    with hosted("limits", *FLOW, "slow") as host:
        host.wait_line("spinning busy")
        host.send(signal.SIGSTOP)  # nobody ends the stall meanwhile
        assert eventually(lambda: operator.actors()["slow"]["state"] == "stuck")  # one look is enough
        assert re.search(
            r"slow is stuck in life \d+.*; `steady-mp stack slow` shows", operator.types("why", "slow").out
        )
        assert "`steady-mp kill slow` begins its next life" in operator.types("why").out
        reason = operator.types("health", "--json").data["reasons"]
        assert [each for each in reason if re.fullmatch(r"slow is stuck: in its own code for \d+ s", each)]
        assert operator.types("kill", "slow", "--signal", "STOP").status == 0
        assert eventually(lambda: operator.actors()["slow"]["state"] == "stopped")
        assert "`steady-mp kill slow --signal CONT` lets it go on" in operator.types("why", "slow").out
        host.send(signal.SIGCONT)
        host.wait_line("slow is stopped (SIGSTOP) for ")
        host.wait_line(" (stopped, by SIGSTOP or the like, for ")
        host.wait_line("slow is stuck in its own code for ")
        line = host.wait_line(" (stall, in its own code for ")
        assert re.search(r", at testing/steps\.py:\d+ in play; stall_timeout is 1 s\); life \d+ goes on", line)
        assert eventually(lambda: {"stopped", "stall"} <= operator.actors()["slow"]["deaths"].keys())


def test_why_of_a_run_that_gave_up_after_it_has_gone(operator: Operator) -> None:
    with Process(*HOST, "doomed") as host:
        assert host.wait() == ExitCode.GAVE_UP
        assert operator.types("ps", "--json").data == []
        told = operator.types("why")
        assert told.status == ExitCode.DRAINED
        assert "doomed  ended  it did not end well" in told.out
        assert "  cause    ValueError: no good\n" in told.out
        assert "  then     it is given up; the graph stops\n" in told.out
        assert "ValueError: no good\n" in told.out.partition("  traceback:\n")[2]
        assert "  last 1 lines of its log:\n    before the end\n" in told.out
        assert "  in hand  source→failing 0" in told.out
        assert "this is the end; mend the cause, then start the run again\n" in told.out
        assert "; `steady-mp why` shows how the last one ended\n" in operator.types("ps").out
        found = operator.types("why", "source", "--json").data
        (report,) = found["reports"]  # it went down with the run
        assert (report["kind"], report["detail"]) == (
            "end of the run",
            "failing was given up after life 2: ValueError: no good",
        )
        assert operator.types("why", "--run", "doomed").status == ExitCode.DRAINED
        # A run that is alive goes first; the other one is pointed at.
        with hosted("flow", *FLOW):
            shown = operator.types("why").out
            assert "flow  running" in shown
            assert f"\n1 run that did not end well is kept; the latest: steady-mp why --run {found['run']}" in shown
            with hosted("flow", *FLOW):  # of two that live neither is chosen, nor one that is dead
                assert "several runs could be meant" in operator.refused("why")
                assert "several runs could be meant" in operator.refused("why", "--run", "flow")
            assert "failing, life 2" in operator.types("why", "--run", found["run"]).out
        told = operator.types("clean", "--json")
        assert told.data["kept"] == [found["directory"]]
        assert "--kept removes them" in operator.types("clean").out
        assert operator.types("clean", "--kept", "--json").data["kept"] == []
        assert "nothing runs" in operator.refused("why")


def test_why_of_a_run_whose_supervisor_was_killed_before_and_after_the_sweep(operator: Operator) -> None:
    with hosted("flow", *FLOW) as host:
        assert operator.types("kill", "middle").status == 0
        host.wait_line("middle died in life 1 (SIGKILL)")
        host.wait_line("started middle 2 ")
        family = host.family()
        host.send(signal.SIGKILL)
        host.wait()
        assert all_gone(family, 10.0)
        told = operator.types("why", "middle")
        assert "flow  dead  its supervisor" in told.out
        assert "  cause    SIGKILL\n" in told.out
        assert operator.types("clean").status == 0
        told = operator.types("why", "middle")
        assert "flow  ended  it did not end well" in told.out
        assert "  cause    SIGKILL\n" in told.out
        assert operator.types("clean", "--kept").status == 0


def test_who_did_not_stop_in_time_has_a_report_too(operator: Operator) -> None:
    with Process(*HOST, "refusing") as host:
        host.wait_line("started stubborn ")
        # Its start is no part of the time that it has for its end.
        assert eventually(lambda: operator.actors()["stubborn"]["state"] == "idle")
        assert operator.types("stop").status == ExitCode.UNCLEAN
        host.wait()
        told = operator.types("why", "stubborn")
        assert "did not stop in time: stubborn: it refused: 3 orders unpaid" in told.out
        assert "  cause    end of the run\n" in told.out
        assert "  stubborn did not stop in time: it refused: 3 orders unpaid" in told.out


def test_ends_that_were_planned_are_told_as_such(operator: Operator) -> None:
    with Process(*HOST, "planned") as host:
        host.wait_line("dozer is recycled after life 1: max_age 0.2 s reached")
        assert eventually(lambda: operator.actors()["brief"]["state"] == "finished")
        told = operator.types("why", "brief").out
        assert re.search(r"brief has finished in life 1, \d{4}-\d\d-\d\d [\d:]+: its behavior has returned\n", told)
        assert re.search(
            r"brief +finished +1 +0  \d{4}-\d\d-\d\d [\d:]+  its behavior has returned *\n", operator.types("why").out
        )
        told = operator.types("why", "dozer").out
        assert "  cause    recycled: max_age 0.2 s reached\n" in told
        assert re.search(r"  then     life \d+ began at once from commit \d+\n", told)
        assert "  it had   lived 0." in told
        found = {actor["name"]: actor for actor in operator.types("why", "--json").data["actors"]}
        assert (found["brief"]["last"], found["dozer"]["last"]) == ("finished", "recycled: max_age 0.2 s reached")
        family = host.family()
        host.send(signal.SIGKILL)
        host.wait()
        assert all_gone(family, 10.0)
        assert "brief has finished in life 1, " in operator.types("why", "brief").out  # nobody has swept it
        assert operator.types("clean").status == 0
        assert "nothing runs" in operator.refused("why")  # nobody had failed


def test_a_run_that_drains_leaves_nothing(operator: Operator) -> None:
    with hosted("flow", *FLOW) as host:
        assert operator.types("kill", "middle").status == 0
        host.wait_line("middle died in life 1 (SIGKILL)")
        assert operator.types("stop").status == ExitCode.DRAINED
        host.wait()
        assert "nothing runs" in operator.refused("why")


@pytest.fixture
def group() -> Iterator[Path]:
    """Return a control group of 96 MiB that a host can be put into."""
    made = make_group(96 << 20)
    if made is None:
        pytest.skip("needs the right to make a control group for memory (root, and /sys/fs/cgroup writable)")
    yield made
    assert eventually(lambda: not (made / "cgroup.procs").read_text())
    made.rmdir()


def test_one_that_the_kernel_kills_for_want_of_memory(operator: Operator, group: Path) -> None:
    enter = f"echo $$ > {group}/cgroup.procs && exec " + " ".join(HOST) + " devouring"
    with Process("/bin/sh", "-c", enter) as host:
        host.wait_line("hungry died in life 1 (out of memory, the kernel has counted a kill for want of memory in the ")
        assert operator.types("why", "hungry", "--json").data["reports"][0]["kind"] == "out of memory"
        assert operator.types("stop").status == ExitCode.DRAINED
        host.wait()
