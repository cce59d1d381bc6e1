from __future__ import annotations

import dataclasses
import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from steady_mp.events import (
    ActorFinished,
    ActorGivenUp,
    ActorRecycled,
    ActorReplayed,
    ForkServerDied,
    ShutdownRequested,
)
from steady_mp.memory import layout
from steady_mp.memory.standing import STALL, Halt
from steady_mp.memory.status import read_status, write_status
from steady_mp.monitors import Metric
from steady_mp.supervisor.recorder import Recorder
from steady_mp.telemetry import sampler
from steady_mp.telemetry.sampler import Sampler
from steady_mp.telemetry.state import describe
from tests.support.simulated import Simulated


def test_rate_fill_and_latency_of_a_steady_flow() -> None:
    """Ten messages a second pass, five are always in the channel: each waits for half a second."""
    with Simulated() as run:
        for step in range(1, 30):
            run.carry(sent=5 * step + 5, taken=5 * step)
            run.tick()
        (channel,) = describe(run.board)["channels"]
        assert channel["rate"] == pytest.approx(10)
        assert channel["latency"] == {"avg": pytest.approx(0.5), "p80": pytest.approx(0.5)}
        assert channel["oldest_age"] == pytest.approx(0.5)
        assert channel["filled"] == {"now": 50, "avg": 50, "p80": 50, "max": 50}
        assert (channel["sent"], channel["taken"], channel["in_flight"]) == (150, 145, 5)


def test_while_nobody_takes_there_is_an_age_and_no_latency() -> None:
    with Simulated() as run:
        run.tick()
        run.carry(sent=3, taken=0)
        for _ in range(400):
            run.tick()
        (channel,) = describe(run.board)["channels"]
        assert channel["latency"] is None
        assert channel["oldest_age"] == pytest.approx(200, abs=0.5)
        run.carry(sent=3, taken=3)
        run.tick()
        (channel,) = describe(run.board)["channels"]
        assert channel["oldest_age"] is None


def test_a_cursor_read_halfway_is_no_nonsense() -> None:
    with Simulated() as run:
        run.carry(sent=100, taken=0)  # more than the channel holds: the head was read long before the tail
        run.tick()
        (channel,) = describe(run.board)["channels"]
        assert (channel["in_flight"], channel["filled"]["now"]) == (10, 100)


def test_load_is_the_share_that_was_not_waited() -> None:
    with Simulated() as run:
        run.begin(0)
        words = run.actors[0]
        run.tick()
        for _ in range(20):
            words[layout.WAITED_NS] += int(0.4e9)
            run.tick()
        assert describe(run.board)["actors"][0]["load"] == pytest.approx(20, abs=0.1)
        words[layout.PHASE] = layout.PHASE_WAITING
        words[layout.WAIT_SINCE_NS] = int(run.now * 1e9)
        for _ in range(11):
            run.tick()
        assert describe(run.board)["actors"][0]["load"] == pytest.approx(0, abs=0.1)


def test_a_long_wait_is_added_up_on_the_way_and_counts_once() -> None:
    with Simulated() as run:
        run.begin(0)
        words = run.actors[0]
        words[layout.PHASE] = layout.PHASE_WAITING
        words[layout.WAIT_SINCE_NS] = int(run.now * 1e9)
        run.tick(5.0)
        assert run.sampler.sample().actors[0].waited == pytest.approx(5)
        words[layout.LOOKED_NS] = int(run.now * 1e9)
        words[layout.WAITED_NS] += int(5e9)
        run.tick(1.0)
        assert run.sampler.sample().actors[0].waited == pytest.approx(6)


def test_states() -> None:
    with Simulated() as run:
        actor = run.actors[0]

        def state() -> tuple[str, str | None]:
            run.tick()
            found = describe(run.board)["actors"][0]
            return found["state"], found["blocked_on"]

        assert state() == ("starting", None)
        run.begin()
        assert state() == ("running", None)
        actor[layout.PHASE] = layout.PHASE_WAITING
        assert state() == ("idle", None)
        actor[layout.BLOCKED_ON] = 1
        assert state() == ("blocked", "feed→eat")
        actor[layout.BLOCKED_ON] = 99  # whatever a word may say
        assert state() == ("idle", None)
        actor[layout.PHASE] = layout.PHASE_RUNNING
        assert state() == ("running", None)
        run.tick(STALL)
        assert state() == ("stuck", None)
        assert run.board.summary() == "feed is stuck"
        assert run.board.not_ready() == ["feed is stuck: in its own code for 13 s", "eat is starting"]
        actor[layout.DEBUGGED] = 1
        assert state() == ("debugged", None)
        actor[layout.DEBUGGED] = 0
        actor[layout.LOOKED_NS] = int(run.now * 1e9)
        assert state() == ("running", None)
        run.die()
        assert state() == ("restarting", None)
        run.record(ActorGivenUp(actor="feed", generation=1, cause="SIGKILL", isolated=True))
        assert state() == ("given up", None)
        assert run.board.not_ready() == ["feed is given up", "eat is starting"]
        run.record(ShutdownRequested(reason="enough", seconds=1))
        run.tick()
        assert run.board.not_ready()[0] == "the graph is draining"


def test_the_bottleneck_is_the_last_actor_that_nobody_blocks() -> None:
    with Simulated(("a", "b"), ("c", "d")) as run:
        for actor in range(4):
            run.begin(actor)
        run.carry(10, 0, channel=0)
        run.tick()
        run.tick()
        assert run.board.summary() == "a→b is full: b is slower than a"
        run.carry(0, 0, channel=0)
        for _ in range(11):
            run.tick()
        assert not run.board.summary()


def test_restarts_by_cause_and_events() -> None:
    with Simulated() as run:
        for life in range(1, 4):
            run.begin(generation=life)
            run.die(generation=life, cause="ValueError: number 7" if life == 3 else "SIGKILL")
        run.tick()
        state = describe(run.board)
        actor = state["actors"][0]
        assert actor["deaths"] == {"SIGKILL": 2, "ValueError: number 7": 1}
        assert (actor["generation"], actor["restarts"]) == (3, 2)
        died = state["events"][-1]
        assert (died["kind"], died["actor"], died["level"], died["cause"]) == (
            "ActorDied",
            "feed",
            "warning",
            "ValueError: number 7",
        )
        assert died["text"].startswith("feed died in life 3 (ValueError: number 7)")


def test_restarts_that_are_no_failure_of_the_actor() -> None:
    with Simulated() as run:
        run.begin(0)
        run.begin(1)
        run.record(ActorFinished(actor="eat", generation=1))
        run.record(ForkServerDied(cause="SIGKILL"))
        run.tick()
        assert describe(run.board)["actors"][0]["deaths"] == {}  # as long as nothing has begun again
        assert run.board.not_ready() == ["feed is lost"]
        run.begin(0, generation=2)
        run.record(ActorReplayed(actor="feed", generation=2, reason="a turn had to wait"))
        run.begin(0, generation=3)
        run.record(ActorRecycled(actor="feed", generation=3, reason="max_age 60 s reached"))
        run.begin(0, generation=4)
        run.tick()
        feed, eat = describe(run.board)["actors"]
        assert (feed["restarts"], feed["deaths"]) == (3, {"fork server": 1})
        assert (eat["state"], eat["deaths"]) == ("finished", {})
        causes = run.sampler.sample().status.actors[0].causes
        assert {cause: count for cause, count in causes.items() if count} == {
            "fork server": 1,
            "replay": 1,
            "recycled": 1,
        }


def test_what_is_kept_of_causes_and_events_is_bounded() -> None:
    with Simulated() as run:
        run.begin()
        for life in range(1000):
            run.die(generation=life, cause=f"ValueError: {life} " + "x" * 10_000)
        run.tick()
        state = describe(run.board)
        assert len(state["actors"][0]["deaths"]) == 17
        assert sum(state["actors"][0]["deaths"].values()) == 1000
        assert len(state["events"]) == 100
        assert sum(entry.stat().st_size for entry in run.run.path.glob("*.json*")) < 1 << 20


def test_a_window_has_the_length_that_was_asked_for() -> None:
    with Simulated() as run:
        for _ in range(100):
            run.tick()
        assert run.board.span == 5.0
        assert len(run.board.channels[0].windows[Metric.FILLED]) == 11
        assert run.board.channels[0].span == pytest.approx(5.0)


def test_a_run_in_another_container_is_not_asked_about_by_its_pids() -> None:
    """They belong to strangers here: this process has the pid of feed."""
    with Simulated() as run:
        status = read_status(run.run.path)
        write_status(run.run.path, dataclasses.replace(status, namespace=status.namespace + 1))
        run.record = Recorder(run.run.path, run.plan, print, lambda: run.wall)
        run.sampler.close()
        run.sampler = Sampler(run.run.path, clock=lambda: run.now, wall=lambda: run.wall)
        run.begin()
        for _ in range(3):
            run.actors[0][layout.WAITED_NS] += int(0.4e9)
            run.tick()
        seen = run.sampler.sample().actors[0]
        assert (seen.cpu, seen.rss, seen.halt, seen.lives) == (None, None, Halt(), True)
        feed, eat = describe(run.board)["actors"]
        assert (feed["state"], feed["pid"], feed["rss"], feed["mcpu"]) == ("running", os.getpid(), None, None)
        assert feed["load"] == pytest.approx(20, abs=0.1)  # by its words, which tell that anywhere
        assert (eat["state"], eat["rss"], eat["mcpu"]) == ("starting", 0, 0)
        words = run.actors[0]
        words[layout.PHASE] = layout.PHASE_WAITING
        words[layout.WAIT_SINCE_NS] = int(run.now * 1e9)
        waited = run.sampler.sample().actors[0].waited
        run.tick(1.0)
        assert run.sampler.sample().actors[0].waited == pytest.approx(waited + 1.0)


def test_a_read_that_is_refused_is_made_up_for_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a descriptor to spare a file can be looked at, but not read."""

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    with Simulated() as run:
        run.tick()
        run.begin()
        with monkeypatch.context() as patch:
            patch.setattr(sampler, "read_status", refuse)
            patch.setattr(Path, "read_bytes", refuse)
            run.tick()
        run.tick()
        state = describe(run.board)
        assert state["actors"][0]["state"] == "running"
        assert [event["kind"] for event in state["events"]] == ["ActorStarted"]
