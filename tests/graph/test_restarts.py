"""Whatever ends a life, the next one begins from the last commit, and the siblings do not notice."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorDied, ActorGivenUp, ActorStarted
from steady_mp.memory import layout
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import Die, Exit, ExitNow, PassOn, Raise, RaiseUnpicklable, Send, Step, Take
from tests.support import lives, pipeline
from tests.support.runs import Outcome, complete
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

ENDLESS = 1 << 40
TOTAL = 200
AT_ONCE = RestartPolicy(backoff=0.0, max_backoff=0.0)
AT = 50

#: Ways to die, with the words that the report has for them.
WAYS: dict[str, tuple[Step, str]] = {
    "exception": (Raise(ValueError, "no good"), "ValueError: no good"),
    "unpicklable": (RaiseUnpicklable("one of a kind"), "steady_mp.testing.steps.OneOfAKind: one of a kind"),
    "sys.exit(3)": (Exit(3), "exit code 3"),
    "sys.exit(0)": (Exit(0), "exit code 0 before its behavior had returned"),
    "os._exit(5)": (ExitNow(5), "exit code 5"),
    "SIGKILL": (Die(signal.SIGKILL), "SIGKILL"),
    "SIGSEGV": (Die(signal.SIGSEGV), "SIGSEGV"),
    "SIGTERM": (Die(signal.SIGTERM), "SIGTERM"),
    # A life that ends by its own plan, or without hope, says so in a note: its status is the user's like any other.
    **{f"sys.exit({status})": (Exit(status), f"exit code {status}") for status in (121, 122, 123)},
    "os._exit(122)": (ExitNow(122), "exit code 122"),
}


def mortal_graph(way: str, deaths: int, policy: RestartPolicy, total: int = TOTAL) -> Graph:
    """Build a pipeline whose middle dies, beside one that has nothing to do with it."""
    graph = Graph("restarts", log_level="error")
    numbers_tx, numbers_rx = graph.channel(8, showstopper_after=0)  # it is not the message that kills
    results_tx, results_rx = graph.channel(8)
    other_tx, other_rx = graph.channel(8, name="other")
    graph.actor("source", pipeline.source, numbers_tx, total, 1, graph.state())
    step, _ = WAYS[way]
    mortal = [PassOn(until=AT), Take(), Send([AT]), step]  # in the middle of a turn
    script = Script.each_life(*deaths * [mortal], [PassOn()])
    graph.actor("middle", perform, script, numbers_rx, results_tx, graph.state(), restart=policy)
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state())
    graph.actor("other source", pipeline.source, other_tx, total, 1, graph.state())
    graph.actor("other sink", lives.tally, other_rx, graph.state())
    return graph


def check(outcome: Outcome, way: str, deaths: int) -> None:
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    middle = outcome.actor("middle")
    assert middle.deaths == [WAYS[way][1]] * deaths
    assert (middle.generation, middle.restarts) == (deaths + 1, deaths)
    total = outcome.actor("source").state["following"]
    # Each life began from the last commit: what the dying turn had done is gone, what was committed is there.
    assert middle.state == {"lives": list(range(1, deaths + 2)), "taken": total, "sent": total}
    assert outcome.actor("sink").state["seen"] == list(range(total))
    for name in ("source", "sink", "other source", "other sink"):
        assert (outcome.actor(name).generation, outcome.actor(name).deaths) == (1, [])
    assert outcome.actor("other sink").state["in_order"]
    assert not outcome.rescues


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_die(way: str) -> None:
    check(complete(mortal_graph(way, 2, AT_ONCE)), way, 2)


def test_the_first_restart_is_at_once_the_next_ones_wait_while_the_siblings_flow() -> None:
    graph = mortal_graph("exception", 3, RestartPolicy(backoff=0.5, jitter=0.0), ENDLESS)

    def look(run: Run, watch: Watch) -> None:
        died = watch.wait_for(ActorDied, actor="middle", generation=3)
        assert died.pause == pytest.approx(1.0, rel=0.2)
        tail = run._channels[2].words
        before = tail[layout.TAIL]
        assert eventually(lambda: tail[layout.TAIL] > before + 2 * 8)  # more than fits: both of them go on
        assert len([event for event in watch.all_of(ActorStarted) if event.actor == "middle"]) == 3
        watch.wait_for(ActorStarted, actor="middle", generation=4)
        run.request_shutdown()

    outcome = complete(graph, meanwhile=look)
    pauses = [event.pause for event in outcome.watch.all_of(ActorDied)]
    assert pauses == [0.0, pytest.approx(0.5, rel=0.2), pytest.approx(1.0, rel=0.2)]
    check(outcome, "exception", 3)


def test_giving_up_stops_the_graph_and_says_why() -> None:
    graph = Graph("doom", log_level="error")
    numbers_tx, numbers_rx = graph.channel(4, showstopper_after=0)
    graph.actor("source", pipeline.source, numbers_tx, ENDLESS, 1, graph.state())
    policy = RestartPolicy(threshold=2.0, backoff=0.0, max_backoff=0.0)
    # All that fits, so that as much is queued however slow the source is.
    doom = Script.each_life([Take(4), Raise(ValueError, "no good")])
    graph.actor("doomed", perform, doom, numbers_rx, restart=policy)
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.GAVE_UP
    assert outcome.report.why[0] == "doomed was given up after life 3: ValueError: no good"
    assert "4 messages are still queued in source→doomed" in outcome.report.why
    assert outcome.actor("doomed").deaths == ["ValueError: no good"] * 3
    assert not outcome.actor("doomed").finished
    assert not outcome.actor("source").finished
    assert not outcome.report.clean


def test_an_isolated_actor_is_missed_by_nobody() -> None:
    """Its producer sees a closed channel, its consumer the end of the stream, and the others go on."""
    graph = mortal_graph("exception", 1 << 10, RestartPolicy(threshold=2.0, give_up="isolate", backoff=0.0), ENDLESS)

    def drain(run: Run, watch: Watch) -> None:
        given_up = watch.wait_for(ActorGivenUp, actor="middle")
        assert given_up.isolated
        other = run._channels[2].words
        before = other[layout.HEAD]
        assert eventually(lambda: other[layout.HEAD] > before + 100)
        run.request_shutdown()

    outcome = complete(graph, meanwhile=drain)
    assert outcome.report.exit_code is ExitCode.GAVE_UP
    assert [actor.name for actor in outcome.report.actors if not actor.finished] == ["middle"]
    assert outcome.actor("sink").state["seen"] == list(range(AT))
    assert outcome.actor("other sink").state["in_order"]
    assert not outcome.rescues
