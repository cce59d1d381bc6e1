"""The record of events: it outlives a full disk, and does not grow from one supervisor to the next."""

from __future__ import annotations

import errno
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from steady_mp import Graph
from steady_mp.events import ActorFinished, ActorStarted, Event, ForkServerDied, TelemetryDied
from steady_mp.memory.status import EVENTS_FILE, read_events, read_status, write_status
from steady_mp.supervisor import recorder as recorders
from steady_mp.supervisor.recorder import MOST_EVENTS, Recorder, first_status

STARTED = ActorStarted(actor="worker", generation=1, pid=7, commit=0)


def behave(actor: Any) -> None:
    """Stand for any behavior."""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def recorder(tmp_path: Path, said: list[str]) -> Recorder:
    graph = Graph("recorded")
    graph.actor("worker", behave)
    write_status(tmp_path, first_status(graph.plan(), 0.0))
    return begun(tmp_path, said)


def begun(directory: Path, said: list[str]) -> Recorder:
    """Begin one as each supervisor of a run does."""
    graph = Graph("recorded")
    graph.actor("worker", behave)
    return Recorder(directory, graph.plan(), said.append, lambda: 1.0)


def full(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def kinds(directory: Path) -> list[str]:
    return [event["kind"] for event in read_events(directory, MOST_EVENTS)]


def test_a_disk_without_room_for_the_status_is_named_once_and_the_next_event_writes_it_whole(
    tmp_path: Path, recorder: Recorder, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(recorders, "write_status", full)
        recorder(STARTED)
        recorder(TelemetryDied(cause="SIGKILL", pause=0.1))
    assert said == [f"{tmp_path} takes no record of events: No space left on device; what is shown of the run is old"]
    assert read_status(tmp_path).actors[0].pid is None
    recorder(TelemetryDied(cause="SIGKILL", pause=0.1))
    status = read_status(tmp_path)
    assert (status.actors[0].pid, status.telemetry_restarts) == (7, 2)
    assert kinds(tmp_path) == ["ActorStarted", "TelemetryDied", "TelemetryDied"]
    assert len(said) == 1


def test_an_event_that_went_in_by_half_is_written_whole_with_the_next(
    tmp_path: Path, recorder: Recorder, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder(STARTED)
    opened = Path.open

    def tear(path: Path, mode: str = "r", **options: Any) -> Any:
        if path.name == EVENTS_FILE and mode == "a":
            with opened(path, "a") as file:
                file.write('{"kind": "Half')
            full()
        return opened(path, mode, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", tear)
        recorder(TelemetryDied(cause="SIGKILL", pause=0.1))
    assert read_status(tmp_path).telemetry_restarts == 0  # its event is not to be read yet
    recorder(ForkServerDied(cause="SIGKILL"))
    assert kinds(tmp_path) == ["ActorStarted", "TelemetryDied", "ForkServerDied"]
    assert read_status(tmp_path).telemetry_restarts == 1
    assert len(said) == 1


def test_a_disk_that_is_full_again_is_named_again(
    recorder: Recorder, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(recorders, "write_status", full)
            recorder(STARTED)
        recorder(STARTED)
    assert len(said) == 2


def test_an_event_of_an_actor_that_nobody_knows_is_missing_and_the_record_goes_on(
    tmp_path: Path, recorder: Recorder, said: list[str]
) -> None:
    recorder(ActorStarted(actor="nobody", generation=1, pid=7, commit=0))
    recorder(STARTED)
    assert said == ["ActorStarted is missing in the record of events: KeyError('nobody')"]
    assert kinds(tmp_path) == ["ActorStarted"]
    assert read_status(tmp_path).actors[0].pid == 7


class Shy:
    """Something that can't even be shown."""

    def __repr__(self) -> str:
        raise ValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported(Event):
    """An event of a program that announces its own."""

    what: Any

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return "exported"


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (Path("/x"), "PosixPath('/x')"),
        (["/x", 1, None], ["/x", 1, None]),
        ({1: "one"}, {"1": "one"}),
        ({(1, 2): "pair"}, "{(1, 2): 'pair'}"),
        ({"x"}, "{'x'}"),
        (b"x" * 1000, "b'" + 498 * "x"),
        (float("nan"), "nan"),  # not JSON to a browser
        ([float("inf")], "[inf]"),
        (10**5000, "<int>"),
        ("\udcff", "\udcff"),
        (Shy(), "<Shy>"),
        (threading.Lock(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_does_not_know_is_told_in_words(tmp_path: Path, recorder: Recorder, what: Any, told: Any) -> None:
    recorder(Exported(what=what))
    (line,) = (tmp_path / EVENTS_FILE).read_text().splitlines()
    event = json.loads(line, parse_constant=pytest.fail)
    assert event["what"] == (repr(what) if told is None else told)
    assert (event["kind"], event["text"]) == ("Exported", "exported")


class Unspeakable(Exception):
    """Raises another one when it is looked at."""

    def __repr__(self) -> str:
        message = "no repr"
        raise ValueError(message)


class Mute(Event):
    """Can say neither what it is nor why not."""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        raise Unspeakable


def test_one_that_can_not_even_say_why_is_missing_and_the_record_goes_on(
    tmp_path: Path, recorder: Recorder, said: list[str]
) -> None:
    recorder(Mute())
    recorder(STARTED)
    assert said == ["Mute is missing in the record of events: Unspeakable, which can't be shown"]
    assert kinds(tmp_path) == ["ActorStarted"]


def test_who_had_finished_when_the_run_was_resumed_keeps_the_number_of_its_last_life(
    tmp_path: Path, recorder: Recorder
) -> None:
    recorder(ActorFinished(actor="worker", generation=3))
    (worker,) = read_status(tmp_path).actors
    assert (worker.status, worker.generation) == ("finished", 3)


def test_the_events_of_the_supervisors_before_are_not_added_to_without_end(
    tmp_path: Path, recorder: Recorder, said: list[str]
) -> None:
    recorder(STARTED)
    for life in range(2, 8):
        recorder = begun(tmp_path, said)
        for _ in range(MOST_EVENTS - 1):
            recorder(TelemetryDied(cause="SIGKILL", pause=0.1))
        recorder(ActorStarted(actor="worker", generation=life, pid=7, commit=0))
    lines = (tmp_path / EVENTS_FILE).read_text().splitlines()
    assert MOST_EVENTS <= len(lines) <= 2 * MOST_EVENTS
    events = read_events(tmp_path, len(lines))
    assert len(events) == len(lines)
    assert [event["generation"] for event in events if event["kind"] == "ActorStarted"][-1] == 7
    assert said == []


def test_the_latest_events_of_the_supervisor_before_stay_and_what_it_tore_does_not(
    tmp_path: Path, recorder: Recorder, said: list[str]
) -> None:
    for _ in range(2 * MOST_EVENTS - 1):
        recorder(TelemetryDied(cause="SIGKILL", pause=0.1))
    recorder(STARTED)
    with (tmp_path / EVENTS_FILE).open("a") as file:
        file.write('{"kind": "Half')  # it was killed there
    begun(tmp_path, said)(ForkServerDied(cause="SIGKILL"))
    assert kinds(tmp_path)[-3:] == ["TelemetryDied", "ActorStarted", "ForkServerDied"]
    assert len((tmp_path / EVENTS_FILE).read_text().splitlines()) == MOST_EVENTS
