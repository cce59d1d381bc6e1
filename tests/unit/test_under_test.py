"""A graph under test whose run is no run: what happens at moments that no test of processes can aim at."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from actors import Args, build_graph
from steady_mp import Event, Graph, StartError
from steady_mp.events import ActorDied, ForkServerDied
from steady_mp.testing.under_test import GraphUnderTest

pytestmark = pytest.mark.timeout(20)


class ScriptedRun:
    """Has one actor, which goes on to the next of its `lives` (number and process) at each look at its process."""

    def __init__(self, graph: GraphUnderTest, *lives: tuple[int, int | None]) -> None:
        self.killed: list[int] = []
        self._graph = graph
        self._lives = list(lives)

    def generation(self, _actor: str) -> int:
        return self._lives[0][0]

    def pid(self, actor: str) -> int | None:
        life, pid = self._lives[0]
        if len(self._lives) > 1:
            del self._lives[0]
            if pid is not None and self._lives[0][1] != pid:
                self._tell(died(actor, life))
        return pid

    def kill(self, actor: str) -> None:
        life, pid = self._lives[0]
        if pid is not None:  # else there is nobody to hit
            self.killed.append(life)
            self._tell(died(actor, life))

    def _tell(self, event: Event) -> None:
        self._graph.events(event)


def died(actor: str, life: int) -> ActorDied:
    return ActorDied(actor=actor, generation=life, cause="SIGKILL", pause=0.0, commit=0)


def scripted(*lives: tuple[int, int | None]) -> tuple[GraphUnderTest, ScriptedRun]:
    graph = GraphUnderTest(build_graph, Args(rate=10, beats=1))
    run = ScriptedRun(graph, *lives)
    graph._run = run  # type: ignore[assignment]
    return graph, run


# Kills


def test_a_kill_is_not_lost_on_a_life_that_ends_by_itself_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GraphUnderTest, "dump", lambda _self: "")
    graph, run = scripted((1, 100), (2, None), (2, None), (2, 200))
    assert graph.kill("worker", seconds=1.0) == 2
    assert run.killed == [2]


def test_a_kill_is_not_taken_for_done_because_the_fork_server_died_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GraphUnderTest, "dump", lambda _self: "")
    graph, run = scripted((2, 200))
    graph.events(ForkServerDied(cause="SIGKILL"))
    monkeypatch.setattr(run, "kill", lambda _actor: None)
    with pytest.raises(AssertionError, match=r"worker can't be killed: it lives on after 0.01 s"):
        graph.kill("worker", seconds=0.01)


def test_a_life_may_end_with_the_fork_server_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, run = scripted((2, 200))
    monkeypatch.setattr(run, "kill", lambda _actor: graph.events(ForkServerDied(cause="SIGKILL")))
    assert graph.kill("worker", seconds=1.0) == 2


def test_a_signal_is_no_number_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GraphUnderTest, "dump", lambda _self: "")
    graph, run = scripted((1, 100))
    for act in (graph.kill, graph.freeze, graph.thaw):
        do: Any = act
        with pytest.raises(TypeError, match="positional"):
            do("worker", signal.SIGTERM)
    assert run.killed == []


# Starts


def test_of_what_was_not_started_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_options: Any) -> None:
        message = "not today"
        raise StartError(message)

    monkeypatch.setattr(Graph, "start", refuse)
    graph = GraphUnderTest(build_graph, Args(rate=10, beats=1))
    with pytest.raises(StartError, match="not today"):
        graph.start()
    graph.__exit__(None, None, None)


def test_a_planned_crash_is_for_one_run_and_not_for_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[dict[str, list[dict[str, Any]]]] = []

    def refuse(graph: Graph, **_options: Any) -> None:
        starts.append(graph.faults)
        message = "not today"
        raise StartError(message)

    monkeypatch.setattr(Graph, "start", refuse)
    declared = Graph("declared")
    build_graph(declared, Args(rate=10, beats=1))
    own = {"point": "commit:epoch", "hit": 1, "generations": [2]}
    declared.faults = {"worker": [own], "logger": [own]}
    for crashes in ([("worker", "commit:publish"), ("heartbeat", "commit:begin", 3)], []):
        with pytest.raises(StartError, match="not today"):
            GraphUnderTest(declared, crash_at=crashes).start()
        assert declared.faults == {"worker": [own], "logger": [own]}
    planned = {"point": "commit:publish", "hit": 1, "generations": [1]}
    late = {"point": "commit:begin", "hit": 3, "generations": [1]}
    assert starts[0] == {"worker": [own, planned], "logger": [own], "heartbeat": [late]}
    assert starts[1] == {"worker": [own], "logger": [own]}


# Failures


@pytest.mark.parametrize(
    ("error", "notes"),
    [
        (ValueError(), ["everybody, ask=False"]),
        (pytest.fail.Exception(), ["everybody, ask=True"]),  # it may be a time-out
        (KeyboardInterrupt(), []),
        (SystemExit(), []),
    ],
)
def test_whatever_fails_a_test_is_told_where_everybody_stood(
    error: BaseException, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GraphUnderTest, "dump", lambda _self, *, ask: f"everybody, {ask=}")
    monkeypatch.setattr(GraphUnderTest, "close", lambda _self: None)
    graph, _ = scripted((1, 100))
    graph.__exit__(type(error), error, None)
    assert getattr(error, "__notes__", []) == notes


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, pytest.fail.Exception])
def test_who_is_interrupted_while_it_tells_is_closed_all_the_same(
    interruption: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_self: GraphUnderTest, *, ask: bool) -> str:  # noqa: ARG001
        raise interruption

    closed: list[bool] = []
    monkeypatch.setattr(GraphUnderTest, "dump", interrupt)
    monkeypatch.setattr(GraphUnderTest, "close", lambda _self: closed.append(True))
    graph, _ = scripted((1, 100))
    error = TimeoutError()
    with pytest.raises(interruption):
        graph.__exit__(TimeoutError, error, None)
    assert closed == [True]
