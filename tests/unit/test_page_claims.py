"""What docs/operating.md says of logic, held without a process: which death counts, what is hidden, what is anew."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import tempfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import Actor, Graph
from steady_mp.cadence import CommitEvery
from steady_mp.cli import dump, health
from steady_mp.events import ShutdownPostponed, ShutdownRefused, ShutdownRequested
from steady_mp.memory import kept, layout, letters
from steady_mp.supervisor import debugger
from steady_mp.supervisor.messages import DeadlineReached
from steady_mp.supervisor.seat import Seat
from steady_mp.supervisor.shutdown import Shutdown
from steady_mp.telemetry.board import _UNREADY
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.simulation import simulate
from tests.unit.source import ROOT
from tests.unit.test_cadence import Line
from tests.unit.test_operations_page import PAGE, options

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.events import Event

WORDS = " ".join(PAGE.read_text(encoding="utf-8").split())


# Which run, and where


def test_a_run_is_an_option_of_each_command_and_an_argument_of_those_that_are_named() -> None:
    (named,) = re.findall(r"as `--run` of each command, and of (.*?) as their argument, too", WORDS)
    assert set(re.findall(r"`([a-z]+)`", named)) == {"ps", "top", "stop", "health", "dump"}
    without = {command for command, each in options().items() if "--run" not in each}
    assert without == {"run", "graph", "systemd-unit", "clean"}  # they are about no run that is there


def test_what_is_kept_lies_where_the_page_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "(`$TMPDIR`, as `steady-mp-UID-kept`, or where `STEADY_MP_KEPT` says)" in WORDS
    assert "`$TMPDIR/steady-mp-letters-UID/`" in WORDS
    monkeypatch.delenv("STEADY_MP_KEPT")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)  # it asks the environment once
    assert kept.kept_root() == tmp_path / f"steady-mp-{os.getuid()}-kept"
    assert letters.letters_root() == tmp_path / f"steady-mp-letters-{os.getuid()}"


def test_the_tests_that_are_named_are_there() -> None:
    names = re.findall(r"`(?:tests/(?:unit|graph|chaos)/)?(test_[a-z_]+\.py)`", WORDS)
    assert len(names) >= 15
    for name in names:
        assert list(ROOT.glob(f"tests/*/{name}")), name


# Deaths


def excused(status: int, *, by_us: bool = False, asleep: bool = False) -> bool:
    words = {layout.PHASE: layout.PHASE_WAITING if asleep else layout.PHASE_RUNNING}
    seat: Any = SimpleNamespace(_killed_here=by_us, control=SimpleNamespace(words=words))
    return Seat.was_excused(seat, status)


def test_which_death_counts_against_a_message() -> None:
    for status in (1, 3, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGKILL):
        assert not excused(status), status
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        assert excused(-number), number
    assert excused(-signal.SIGKILL, by_us=True)
    assert excused(-signal.SIGKILL, asleep=True)


def test_who_is_killed_asleep_by_people_is_innocent_and_who_was_stopped_is_not() -> None:
    words = {layout.PHASE: layout.PHASE_WAITING}
    seat: Any = SimpleNamespace(control=SimpleNamespace(words=words), _moved_before=(1,), _moved=lambda: (1,))
    assert Seat.was_innocent(seat, -signal.SIGKILL)
    assert not Seat.was_innocent(seat, None)  # as the supervisor asks where it has ended the life as stuck or stopped


@pytest.mark.parametrize("how", ["is_running", "commit", "wait"])
def test_one_looks_up_at_each_of_the_three(how: str) -> None:
    assert "it came neither to `is_running()`, nor to `commit()`, nor to a wait" in WORDS
    line = Line(CommitEvery(seconds=1000.0))
    words = line.middle.control.words
    line.rig.clock.advance(100.0)
    before = words[layout.LOOKED_NS]
    if how == "is_running":
        for _ in range(6):  # where turns were short, four may begin unseen
            assert line.loop.is_running()
    elif how == "commit":
        line.feed()
        line.middle.tx(line.results).send(line.middle.rx(line.numbers).take())
        line.loop.commit()
    else:
        line.middle.parker.plans.append(line.feed)
        assert line.loop.await_for_all(line.middle.rx(line.numbers).wait_avail(1))
    assert before < words[layout.LOOKED_NS] <= line.rig.clock() * 1e9


# health


def test_every_state_that_is_no_health_is_named() -> None:
    (named,) = re.findall(r"; 1 when one of them is (.*?), when some wait for each other in a circle", WORDS)
    assert set(re.split(r", | or ", named)) == _UNREADY


def test_one_in_its_own_code_is_watched_until_a_turn_has_ended() -> None:
    def sample(turns: int) -> Any:
        return SimpleNamespace(actors=[SimpleNamespace(pid=1, generation=1, turns=turns, parks=0, commits=0)])

    for state, turns, watched in (("running", 5, True), ("running", 6, False), ("idle", 5, False)):
        board: Any = SimpleNamespace(actors=[SimpleNamespace(state=state)])
        assert health._is_anybody_busy(board, sample(5), sample(turns)) is watched


def test_the_probe_that_is_shown_has_more_time_than_it_may_take() -> None:
    found = re.search(
        r"exec: \{command: \[steady-mp, health, --stall, \"(\d+)\"\]\}\s+timeoutSeconds: (\d+)",
        PAGE.read_text(encoding="utf-8"),
    )
    assert found is not None
    assert int(found[1]) < int(found[2])


# JSON


def test_who_speaks_json() -> None:
    about_runs = {command for command, each in options().items() if "--run" in each} | {"clean"}
    assert {command for command in about_runs if "--json" not in options()[command]} == {"top", "pdb"}
    assert "(`top` and `pdb` have none: they are for people)" in WORDS


# dump


def test_options_that_sound_secret_lose_their_values() -> None:
    words = ["run", "--token", "one", "--db-password=two", "--api-key", "three", "--SECRET=four", "--rate", "5"]
    hidden = json.loads(dump._without_secrets(json.dumps({"words": words}).encode()))["words"]
    assert hidden == [
        *("run", "--token", "(left out)", "--db-password=(left out)", "--api-key", "(left out)"),
        *("--SECRET=(left out)", "--rate", "5"),
    ]


# The debugger


class Caller:
    """A connection from a process of some user."""

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self.is_closed = False

    def getsockopt(self, *_: int) -> bytes:
        return struct.pack("3i", 1, self.uid, 1)

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("uid", [0, 1000])
def test_only_the_actors_user_and_root_may_attach(uid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    stranger: Any = Caller(1001)
    friend: Any = Caller(uid)
    callers = iter([stranger, friend])
    listener: Any = SimpleNamespace(accept=lambda: (next(callers), None))
    accepted: Any = debugger._accept(listener)
    assert accepted is friend
    assert stranger.is_closed
    assert not friend.is_closed


def test_the_time_for_a_shutdown_begins_anew_when_the_debugger_has_gone() -> None:
    words = {layout.DEBUGGED: 1, layout.PHASE: layout.PHASE_RUNNING, layout.REQUESTED: 0}
    journal = SimpleNamespace(finished=0)
    seat: Any = SimpleNamespace(
        name="worker",
        pid=7,
        is_over=False,
        control=SimpleNamespace(words=words, journal=lambda: journal),
        bell=SimpleNamespace(ring=lambda: None),
        why_not_finished=lambda _: "it is busy",
    )
    graph = Graph("held")
    graph.actor("worker", perform, Script.each_life([]))
    told: list[Event] = []
    due: list[tuple[float, object]] = []
    run: Any = {}
    shutdown = Shutdown(
        [seat], graph.plan(), [], run, 5.0, told.append, lambda seconds, what: due.append((seconds, what))
    )
    shutdown.begin("enough")
    assert due == [(5.0, DeadlineReached())]
    assert shutdown.end() is None  # that it is late is not said while somebody thinks
    assert [type(event) for event in told] == [ShutdownRequested, ShutdownPostponed]
    shutdown.go_on()
    assert len(due) == 1
    words[layout.DEBUGGED] = 0
    shutdown.go_on()
    shutdown.go_on()
    assert due[1:] == [(5.0, DeadlineReached())]  # all of it, and once
    assert shutdown.end() == ["worker did not stop in time: it is busy"]
    assert type(told[-1]) is ShutdownRefused
    journal.finished = 1  # its process is to be told gone in a moment
    assert shutdown.end() == []
    assert len(told) == 3


def test_in_a_simulation_a_breakpoint_is_what_it_is_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "in a simulation `breakpoint()` is what it is everywhere" in WORDS
    stops: list[str] = []
    monkeypatch.setattr("sys.breakpointhook", lambda: stops.append("here"))

    def stopping(actor: Actor) -> None:
        breakpoint()  # noqa: T100 - what is tested
        actor.request_shutdown()

    simulate(lambda graph: graph.actor("one", stopping))
    assert stops == ["here"]
