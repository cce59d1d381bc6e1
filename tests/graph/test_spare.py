"""The spare: who takes it, and that its end is nobody's."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorDied, ActorStarted, ForkServerDied
from steady_mp.memory.rundir import sweep
from tests.support import pipeline, unhurried
from tests.support.hosts import HOST, Process, all_gone
from tests.support.runs import Outcome, complete
from tests.support.spares import server_of, spare_below, spares_below, the_spare
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Run
    from steady_mp.events import Event
    from tests.support.watch import Watch

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="finds the spare by its name in /proc"),
]

ENDLESS = 1 << 40
AT_ONCE = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0, jitter=0.0)
#: Seconds that a process may be found for after its end.
GRACE = 10.0
#: Seconds between two instants at which a spare is killed, and how many there are: from the death that it is for until
#: it sends messages.
STEP, STEPS = 0.0003, 30


def flow(policy: RestartPolicy = AT_ONCE, *, spare: bool = True) -> Graph:
    graph = Graph("flow", log_level="error", spare=spare)
    numbers_tx, numbers_rx = graph.channel(8)
    graph.actor("source", unhurried.source, numbers_tx, ENDLESS, 1, graph.state(), restart=policy)
    graph.actor("sink", pipeline.sink, numbers_rx, 1, graph.state())
    return graph


def drained(graph: Graph, meanwhile: Callable[[Run, Watch], None]) -> Outcome:
    """Run the graph, drain it, and see that nothing is lost or doubled."""

    def then_drain(run: Run, watch: Watch) -> None:
        watch.wait_for(ActorStarted, actor="sink")
        meanwhile(run, watch)
        run.request_shutdown()

    outcome = complete(graph, meanwhile=then_drain)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    assert outcome.actor("sink").state["seen"] == list(range(outcome.actor("source").state["following"]))
    assert not outcome.rescues
    return outcome


def test_a_restart_takes_the_spare_and_another_stands_by() -> None:
    def restart(run: Run, watch: Watch) -> None:
        first = the_spare(run)
        assert first.pid not in {run.pid("source"), run.pid("sink")}
        assert os.getpgid(first.pid) == first.pid
        if first.cmdline()[0].startswith("steady-mp:"):  # with the extra `title`
            assert first.cmdline()[0] == "steady-mp:flow (spare)"
        run.kill("source")
        assert watch.wait_for(ActorStarted, actor="source", generation=2).pid == first.pid
        second = the_spare(run, first)
        assert (first.name(), first.ppid()) == ("source", second.ppid())
        run.kill("sink")
        assert watch.wait_for(ActorStarted, actor="sink", generation=2).pid == second.pid

    drained(flow(), restart)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_spare_that_is_lost_while_it_waits_is_nobodys_death(number: int) -> None:
    def lose(run: Run, watch: Watch) -> None:
        lost = the_spare(run)
        lost.send_signal(number)
        assert all_gone([lost], GRACE)
        other = the_spare(run, lost)
        other.send_signal(signal.SIGTERM)  # that is meant for actors
        assert not watch.all_of(ActorDied)
        run.kill("source")
        assert watch.wait_for(ActorStarted, actor="source", generation=2).pid == other.pid

    outcome = drained(flow(), lose)
    assert outcome.actor("source").deaths == ["SIGKILL"]
    assert outcome.actor("sink").deaths == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_spare_that_is_lost_with_its_role_costs_no_life(number: int) -> None:
    """The fork server finds out about the spare only when it has given it the role."""

    def lose(run: Run, watch: Watch) -> None:
        run.kill("source")
        watch.wait_for(ActorStarted, actor="source", generation=2)
        lost, server = the_spare(run), server_of(run)

        def strike(event: Event) -> None:
            """On the supervisor's thread, so before the pause that follows can be over."""
            if isinstance(event, ActorDied) and event.generation == 2:
                server.suspend()
                lost.send_signal(number)

        run.watch(strike)
        run.kill("source")
        watch.wait_for(ActorDied, actor="source", generation=2)
        assert eventually(lambda: run.generation("source") == 3)  # asked for behind the pause
        server.resume()
        started = watch.wait_for(ActorStarted, actor="source", generation=3)
        assert started.pid != lost.pid
        assert all_gone([lost], GRACE)
        assert run.pid("source") == started.pid

    outcome = drained(flow(RestartPolicy(backoff=0.3, jitter=0.0)), lose)
    assert outcome.actor("source").deaths == ["SIGKILL"] * 2
    assert outcome.actor("source").generation == 3


def lose_on_its_way(run: Run, seconds: float) -> None:
    """Kill the spare so long behind the source, whatever it has become by then."""
    spare = the_spare(run)
    run.kill("source")
    threading.Event().wait(seconds)
    with suppress(psutil.NoSuchProcess):
        spare.kill()
    assert all_gone([spare], GRACE)
    assert eventually(lambda: run.pid("source") not in {None, spare.pid})


def take(run: Run) -> None:
    """Kill the source, and see that the spare takes its role."""
    spare = the_spare(run)
    run.kill("source")
    assert eventually(lambda: run.pid("source") == spare.pid)


def test_a_spare_that_is_killed_at_any_instant_of_its_way_into_a_life_loses_nothing() -> None:
    """It looks at the dead one's files, hears its role, takes it, is told of; or all of that is over."""

    def kill(run: Run, watch: Watch) -> None:
        for step in range(STEPS):
            lose_on_its_way(run, step * STEP)
            take(run)  # so that the next spare is not late, as one behind many lost ones is
        watch.wait_for(ActorStarted, actor="source", generation=2 * STEPS + 1)
        the_spare(run)
        assert eventually(lambda: len(server_of(run).children()) == 3)  # no zombie, and nobody twice

    outcome = drained(flow(), kill)
    deaths = outcome.actor("source").deaths
    assert set(deaths) == {"SIGKILL"}
    assert 2 * STEPS <= len(deaths) <= 3 * STEPS
    assert outcome.actor("sink").deaths == []


def test_of_two_that_die_at_once_one_has_the_spare() -> None:
    def kill(run: Run, watch: Watch) -> None:
        for life in range(2, 12):
            spare = the_spare(run)
            for actor in ("source", "sink"):
                run.kill(actor)
            begun = {watch.wait_for(ActorStarted, actor=actor, generation=life).pid for actor in ("source", "sink")}
            assert len(begun) == 2
            assert spare.pid in begun
        the_spare(run)
        assert eventually(lambda: len(server_of(run).children()) == 3)

    outcome = drained(flow(), kill)
    assert outcome.actor("source").deaths == outcome.actor("sink").deaths == ["SIGKILL"] * 10


def test_the_spare_goes_with_its_fork_server() -> None:
    def kill(run: Run, watch: Watch) -> None:
        first = the_spare(run)
        server_of(run).kill()
        watch.wait_for(ForkServerDied)
        assert not first.is_running()  # nor a zombie, though it is this process that adopts orphans
        started = watch.wait_for(ActorStarted, actor="source", generation=2)
        assert eventually(lambda: run._seat("source").control.epoch > started.commit)  # at work, so it hears signals
        run.kill("source", signal.SIGTERM)
        watch.wait_for(ActorStarted, actor="source", generation=3)

    drained(flow(), kill)


def test_the_spare_goes_with_its_supervisor(run_root: Path) -> None:
    with Process(*HOST, "flow") as host:
        host.wait_line("started sink")
        spare = spare_below(psutil.Process(host.pid))
        family = host.family()
        assert spare in family
        host.send(signal.SIGKILL)
        assert all_gone(family, GRACE)
    assert len(sweep(run_root)) == 1


def test_a_term_to_all_processes_drains() -> None:
    with Process(*HOST, "flow") as host:
        host.wait_line("started sink")
        host.wait_hearing()
        spare = spare_below(psutil.Process(host.pid))
        for process in (spare, *host.family(), psutil.Process(host.pid)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGTERM)
        assert host.wait() == ExitCode.DRAINED
        source, _, sink = host.report()["actors"]
        assert sink["state"]["count"] == source["state"]["following"]
        assert sink["state"]["in_order"]
        assert all_gone([spare], GRACE)


def test_fifty_kills_in_a_row_lose_nothing() -> None:
    """Some lives take a spare and some a fork: nobody waits for either."""

    def kill(run: Run, watch: Watch) -> None:
        for life in range(1, 51):
            watch.wait_for(ActorStarted, actor="source", generation=life)
            run.kill("source")
        watch.wait_for(ActorStarted, actor="source", generation=51)
        taken = the_spare(run)
        run.kill("source")
        assert watch.wait_for(ActorStarted, actor="source", generation=52).pid == taken.pid
        assert eventually(lambda: len(server_of(run).children()) == 3)  # no zombie, and one spare

    outcome = drained(flow(), kill)
    assert outcome.actor("source").deaths == ["SIGKILL"] * 51


def test_a_death_is_told_before_the_life_that_follows() -> None:
    """The report waits until the next life has its process, and is still the first to be told of."""
    told: list[tuple[str, int]] = []
    commits: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, (ActorStarted, ActorDied)) and event.actor == "source":
            told.append((type(event).__name__, event.generation))
            commits.append(event.commit)

    def kill(run: Run, watch: Watch) -> None:
        run.watch(listen)
        for life in (1, 2, 3):
            the_spare(run)
            run.kill("source")
            watch.wait_for(ActorStarted, actor="source", generation=life + 1)

    drained(flow(), kill)
    assert told == [pair for life in (1, 2, 3) for pair in (("ActorDied", life), ("ActorStarted", life + 1))]
    assert commits[0::2] == commits[1::2]  # it has committed since, and did not begin from there


def test_no_program_that_is_started_meanwhile_has_a_hand_on_the_spare() -> None:
    def look(run: Run, watch: Watch) -> None:
        the_spare(run)
        launcher = run._supervisor._servers._launcher
        assert launcher is not None
        assert eventually(lambda: launcher._spare is not None)
        assert launcher._spare is not None
        assert not os.get_inheritable(launcher._spare._socket.fileno())
        watch.wait_for(ActorStarted, actor="source")

    drained(flow(), look)


def test_without_spare_nobody_stands_by() -> None:
    def look(run: Run, watch: Watch) -> None:
        for life in (2, 3):
            run.kill("source")
            watch.wait_for(ActorStarted, actor="source", generation=life)
            assert {child.pid for child in server_of(run).children()} == {run.pid("source"), run.pid("sink")}

    drained(flow(spare=False), look)


@pytest.mark.parametrize(("option", "is_there"), [("--spare", True), ("--no-spare", False)])
def test_the_option_of_the_command(option: str, is_there: bool) -> None:  # noqa: FBT001
    command = (sys.executable, "-c", "import sys; from steady_mp.cli.main import main; sys.exit(main())")
    with Process(*command, "run", "--beats", "1000000", "--rate", "10", "--no-telemetry", option) as process:
        seen: set[int] = set()

        def looked_long_enough() -> bool:
            seen.update(spare.pid for spare in spares_below(psutil.Process(process.pid)))
            return bool(seen) or (not is_there and "Msg Value(14)" in process.output)  # 0.1 s: ten times its time

        assert eventually(looked_long_enough, 20.0)
        process.send(signal.SIGTERM)
        assert process.wait() == ExitCode.DRAINED
        assert bool(seen) is is_there
