"""Graphs that are typed into a session: what nobody can import travels with its code, or is refused at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorDied
from tests.support import pipeline
from tests.support.hosts import Process
from tests.support.runs import complete

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steady_mp import Actor, SteadyState, Tx

pytestmark = pytest.mark.timeout(60)

WITHOUT = "import sys; sys.modules['cloudpickle'] = None\n"
CELL = """
from dataclasses import dataclass, field
from steady_mp import Graph
@dataclass
class Word:
    text: str

@dataclass
class Heard:
    words: list = field(default_factory=list)

MARK = "!"
lock = __import__("threading").Lock()
def shout(text):
    return text.upper() + MARK

def holds_on_to_a_lock():
    return lock

def speak(actor, out, state):
    said = state.acquire(lambda: [0])
    while actor.is_running() and said[0] < 3:
        if actor.await_for_all(out.wait_vacant(1)):
            out.send(Word(shout("abc"[said[0]])))
            said[0] += 1
        if said[0] == 2 and actor.generation == 1:
            actor.commit()
            import os
            os.kill(os.getpid(), 9)

def listen(actor, words, state):
    heard = state.acquire(Heard)
    while actor.is_running():
        if actor.await_for_all(words.wait_avail(1)):
            heard.words.append(words.take())

def declare():
    graph = Graph("cell", log_level="error")
    tx, rx = graph.channel(4)
    graph.actor("speaker", speak, tx, graph.state())
    graph.actor("listener", listen, rx, graph.state())
    return graph

"""
RUN = """
report = declare().start().block_until_stopped(30)
print("heard", [word["text"] for word in report.actors[1].state["words"]], "restarts", report.actors[0].restarts)
"""
AGAIN = """
MARK = "?"
def speak(actor, out, state):
    actor.await_for_all(actor.wait_shutdown())

run = declare().start()
declare().start()
print("still", run.directory.exists())
run.close()
second = declare().start()
print("and again", second.directory.exists())
second.close()
"""


def typed(*lines: str) -> str:
    """Type lines into an interactive session, through a pipe, and return all that it says."""
    told = subprocess.run(
        [sys.executable, "-i", "-q"], input="".join(lines), capture_output=True, text=True, check=False, timeout=50
    )
    assert told.returncode == 0
    return told.stdout + told.stderr


def test_what_a_session_defines_works_and_is_restarted() -> None:
    told = typed(CELL, RUN, AGAIN)
    assert "heard ['A!', 'B!', 'C!'] restarts 1" in told
    # The cell again, while its graph runs: refused, and nothing happens to the one that runs.
    assert "ConfigurationError: graph 'cell' still runs in this session, in " in told
    assert "still True" in told
    assert "and again True" in told
    assert told.count("Traceback") == 1


def test_without_the_extra_it_is_refused_at_once() -> None:
    told = typed(WITHOUT, CELL, RUN, 'Graph().actor("a", lambda actor: None)\n')
    assert "its behavior speak was typed into an interactive session, where no other process can import it: " in told
    assert told.count("pip install 'steady-mp[notebook]'") == 2
    assert "its behavior is a lambda" in told
    assert "heard [" not in told
    assert "died" not in told


def test_on_a_terminal_behind_a_script(tmp_path: Path) -> None:
    """`python -i script.py`: what is typed afterwards stands in no file either."""
    script = tmp_path / "script.py"
    script.write_text(CELL)
    with Process(sys.executable, "-i", "-q", str(script), terminal=True) as session:
        session.press(b"def speak(actor, out, state): out.send(Word(shout('typed')))\n\n")
        session.press(RUN.encode())
        session.wait_line("heard ['TYPED!'] restarts 0")
        session.press(b"exit()\n")  # a Ctrl-D typed before the prompt is there would be lost
        assert session.wait() == 0


SCRIPT = """
from dataclasses import dataclass
from steady_mp import Graph
@dataclass
class Word:
    text: str
def main(mark):
    graph = Graph("script", log_level="error")
    tx, rx = graph.channel(4)
    graph.actor("speaker", lambda actor, out: out.send(Word("hello" + mark)), tx)
    def listen(actor, words):
        while actor.is_running():
            if actor.await_for_all(words.wait_avail(1)):
                word = words.take()
                print("heard", word, type(word) is Word, mark, flush=True)
    graph.actor("listener", listen, rx)
    return graph.start().block_until_stopped(30).exit_code
if __name__ == "__main__":
    raise SystemExit(main("!"))
"""


def test_lambdas_and_closures_of_a_script_know_the_classes_of_the_script(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with Process(sys.executable, str(script)) as process:
        assert process.wait() == ExitCode.DRAINED
        assert "heard Word(text='hello!') True !" in process.output


def counting(total: int) -> Callable[[Actor, Tx[int], SteadyState[list[int]]], None]:
    def count(actor: Actor, out: Tx[int], state: SteadyState[list[int]]) -> None:
        sent = state.acquire(lambda: [0])
        while actor.is_running() and sent[0] < total:
            if actor.await_for_all(out.wait_vacant(1)):
                out.send(sent[0])
                sent[0] += 1
            if sent[0] == 3 and actor.generation == 1:
                actor.commit()
                os.kill(os.getpid(), signal.SIGKILL)

    return count


def test_a_closure_of_a_module_is_restarted_from_what_the_run_directory_keeps() -> None:
    graph = Graph("closure")
    tx, rx = graph.channel(4)
    graph.actor("source", counting(6), tx, graph.state())
    graph.actor("sink", pipeline.sink, rx, 1, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("sink").state["seen"] == [0, 1, 2, 3, 4, 5]
    assert [event.cause for event in outcome.watch.all_of(ActorDied)] == ["SIGKILL"]
