"""The supervisor of a durable run is killed at each step of putting a message aside; `resume` goes on exactly once."""

from __future__ import annotations

import io
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode
from steady_mp.events import MessagePutAside
from steady_mp.memory.letters import Letters
from tests.support.hosts import Process
from tests.support.letter_host import POISON, TOTAL, flow
from tests.support.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

NOTED = ("write 1.suspects.new", "rename 1.suspects.new", "settle the folder")
KEPT = ("write 0-30.new", "rename 0-30.new", "settle the folder")
#: All that happens to the letters up to the first one: the first death, the second, and what is known behind it.
STEPS = ("mkdir letters", *NOTED, "mkdir letters", *KEPT, "mkdir letters", *NOTED)
#: A folder that is there already is made again in vain: that is no step of its own.
CHOSEN = [1, *(number for number, step in enumerate(STEPS, 1) if step != "mkdir letters")]


@pytest.mark.parametrize("step", CHOSEN, ids=lambda step: f"{step} {STEPS[step - 1]}")
def test_the_letter_is_there_once_and_nothing_is_lost(step: int, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Process(sys.executable, "-m", "tests.support.letter_host", str(folder), str(step)) as host:
        host.wait_line(STEPS[step - 1])
        assert host.wait() == -signal.SIGKILL
    # Its name is what takes a message out of the line, so it is there from the rename on and not before.
    is_there = step > STEPS.index("rename 0-30.new") + 1
    assert [letter.position for letter in Letters(folder).all()] == ([POISON[0]] if is_there else [])

    told = Watch()
    with flow(folder / "no cure").start(resume=folder, on_event=told, output=io.StringIO()) as run:
        told.wait_for(MessagePutAside, position=POISON[1])
        run.request_shutdown()
        report = run.block_until_stopped(30.0)
    assert report.exit_code is ExitCode.DRAINED, report.why
    sink = next(actor for actor in report.actors if actor.name == "sink")
    assert sink.state["values"] == [number for number in range(TOTAL) if number not in POISON]
    assert sink.state["positions"] == sink.state["values"]
    letters = Letters(folder).all()
    assert [letter.position for letter in letters] == list(POISON)
    assert [len(letter.deaths) for letter in letters] == [2, 2]
    assert len(told.all_of(MessagePutAside)) == (1 if is_there else 2)
