"""Behaviors, states and messages that are defined in the script which runs the graph."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode
from tests.support.hosts import Process

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

BODY = """
import os, signal, sys
from dataclasses import dataclass, field
from enum import Enum
from steady_mp import Graph

class Color(Enum):
    RED = "red"

@dataclass
class Message:
    number: int
    color: Color = Color.RED

@dataclass
class Sent:
    count: int = 0

@dataclass
class Seen:
    numbers: list = field(default_factory=list)

def source(actor, out, state):
    sent = state.acquire(Sent)
    while actor.is_running() and sent.count < 100:
        out.send(Message(sent.count))
        sent.count += 1

def sink(actor, messages, message_type, state):
    seen = state.acquire(Seen)
    while actor.is_running():
        message = messages.take()
        assert type(message) is Message is message_type, (type(message), Message, message_type)
        assert message.color is Color.RED
        seen.numbers.append(message.number)
        if message.number == 50 and actor.generation == 1:
            os.kill(os.getpid(), signal.SIGKILL)

def main():
    graph = Graph("script")
    tx, rx = graph.channel(8)
    graph.actor("source", source, tx, graph.state())
    graph.actor("sink", sink, rx, Message, graph.state())
    report = graph.start().block_until_stopped()
    assert report.actors[1].state == {"numbers": list(range(100))}, report
    assert report.actors[1].deaths == ["SIGKILL"]
    print("all is well", flush=True)
    return int(report.exit_code)

"""
GUARDED = BODY + 'if __name__ == "__main__":\n    sys.exit(main())\n'
#: Makes of Python one that was built with old headers; the fork server loads the script before it needs the functions.
WITHOUT = """
import os, signal
for holder, name in ((os, "pidfd_open"), (os, "P_PIDFD"), (signal, "pidfd_send_signal")):
    if hasattr(holder, name):
        delattr(holder, name)
"""


def run(cwd: Path, *command: str) -> tuple[int, str]:
    with Process(sys.executable, *command, cwd=str(cwd)) as process:
        return process.wait(), process.output


def test_a_script(tmp_path: Path) -> None:
    script = tmp_path / "a script.py"
    script.write_text(GUARDED)
    code, output = run(tmp_path, str(script))
    assert code == ExitCode.DRAINED, output
    assert "all is well" in output


def test_what_lies_in_the_working_folder_is_no_module_of_pythons(tmp_path: Path) -> None:
    for name in ("app", "place"):
        (tmp_path / name).mkdir()
    (script := tmp_path / "app" / "main.py").write_text(GUARDED)
    (tmp_path / "place" / "json.py").write_text("raise SystemExit('another json')\n")
    code, output = run(tmp_path / "place", str(script))
    assert code == ExitCode.DRAINED, output


def test_a_python_that_was_built_with_old_headers(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(WITHOUT + GUARDED)
    code, output = run(tmp_path, "script.py")
    assert code == ExitCode.DRAINED, output


def test_a_script_named_from_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "script.py").write_text(GUARDED)
    code, output = run(tmp_path, "folder/script.py")
    assert code == ExitCode.DRAINED, output


def test_a_module(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(GUARDED)
    code, output = run(tmp_path, "-m", "module")
    assert code == ExitCode.DRAINED, output


def test_a_package(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(GUARDED)
    code, output = run(tmp_path, "-m", "package")
    assert code == ExitCode.DRAINED, output


def test_an_actor_finds_the_arguments_of_its_script(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import sys\nfrom steady_mp import Graph\n\nGIVEN = sys.argv[1:]\n\n"
        "def tell(actor):\n    print('given', ascii(GIVEN), 'and', ascii(sys.argv), flush=True)\n\n"
        "if __name__ == '__main__':\n    graph = Graph('arguments')\n    graph.actor('teller', tell)\n"
        "    sys.exit(int(graph.start().block_until_stopped().exit_code))\n"
    )
    given = ["7", "--name", "\N{LATIN SMALL LETTER U WITH DIAERESIS} \udcff", ""]
    code, output = run(tmp_path, "script.py", *given)
    assert code == ExitCode.DRAINED, output
    assert f"given {given!a} and {['script.py', *given]!a}" in output
    code, output = run(tmp_path, "script.py", *["word" * 1000] * 300)
    assert code == ExitCode.DRAINED, output
    assert "given [] and ['script.py']" in output


def test_a_script_that_changes_its_folder(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(GUARDED.replace("sys.exit(main())", 'os.chdir("/"); sys.exit(main())'))
    code, output = run(tmp_path, "script.py")
    assert code == ExitCode.DRAINED, output


@pytest.mark.parametrize("flags", [("-O",), ("-X", "dev"), ("-I",)], ids=" ".join)
def test_flags_of_the_interpreter_hold_for_the_actors(tmp_path: Path, flags: tuple[str, ...]) -> None:
    (tmp_path / "script.py").write_text(GUARDED)
    code, output = run(tmp_path, *flags, "script.py")
    assert code == ExitCode.DRAINED, output


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """Its actors have to load it, which would start the graph again, and so on."""
    (tmp_path / "script.py").write_text(
        BODY.replace("    assert report", "    return int(report.exit_code)\n    assert report", 1)
        + "sys.exit(main())\n"
    )
    code, output = run(tmp_path, "script.py")
    assert code == ExitCode.GAVE_UP, output
    line = next(line for line in output.splitlines() if "is given up after life 1" in line)
    assert "put what it runs under `if __name__ == '__main__':`" in line


#: Starts a graph wherever it is loaded, and refuses to be the fourth in a chain of such processes.
EAGER = """
import os, sys, threading
from steady_mp import Graph

depth = int(os.environ.get("DEPTH", "0")) + 1
os.environ["DEPTH"] = str(depth)
if depth > 3:
    os._exit(0)

def work(actor):
    print("at work", flush=True)

def serve():
    graph = Graph("eager")
    graph.actor("work", work)
    run = graph.start()
    print("started at depth", depth, flush=True)
    print("it ended with", int(run.block_until_stopped().exit_code), flush=True)

"""


def starts(output: str) -> list[str]:
    return [line for line in output.splitlines() if "started at depth" in line]


def test_a_module_that_starts_its_graph_when_it_is_imported_is_told_so(tmp_path: Path) -> None:
    """Its actors have to import it, and once more each where that has failed in their fork server."""
    (tmp_path / "flow.py").write_text(EAGER + "serve()\n")
    code, output = run(tmp_path, "-c", "import sys; sys.path.insert(0, ''); import flow")
    assert code == 0, output
    assert starts(output) == ["started at depth 1"]
    assert f"it ended with {int(ExitCode.GAVE_UP)}" in output
    line = next(line for line in output.splitlines() if "is given up after life 1" in line)
    assert "put what it runs under `if __name__ == '__main__':`" in line


def test_a_module_that_bears_the_refusal_serves_its_actors(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(EAGER + "try:\n    serve()\nexcept Exception as error:\n    print(error)\n")
    code, output = run(tmp_path, "-c", "import sys; sys.path.insert(0, ''); import flow")
    assert code == 0, output
    assert starts(output) == ["started at depth 1"]
    assert f"it ended with {int(ExitCode.DRAINED)}" in output
    assert "at work" in output


def test_a_behavior_may_start_a_graph_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text(EAGER)
    outer = "import inner\nfrom steady_mp import Graph\n\ndef outer(actor):\n    inner.serve()\n\n"
    main = 'if __name__ == "__main__":\n    graph = Graph("outer")\n    graph.actor("outer", outer)\n'
    (tmp_path / "script.py").write_text(outer + main + "    graph.start().block_until_stopped()\n")
    code, output = run(tmp_path, "script.py")
    assert code == 0, output
    assert len(starts(output)) == 1
    assert f"it ended with {int(ExitCode.DRAINED)}" in output


#: Python 3.12 before 3.12.3 begins no thread any more once the main one has ended (python/cpython#113964).
BEGINS_NONE = (3, 12) <= sys.version_info < (3, 12, 3)


#: The run does not end before the fork server's thread has said all that it has to say.
TOLD = """
def tell(args, told=os.open({told!r}, os.O_RDWR)):
    threading.__excepthook__(args)
    os.write(told, b".")

def work(actor):
    os.read(os.open({told!r}, os.O_RDWR), 1)

threading.excepthook = tell
"""


@pytest.mark.parametrize(
    "wait",
    [
        pytest.param("thread.join()", id="waited for"),
        pytest.param("", id="not waited for", marks=pytest.mark.skipif(BEGINS_NONE, reason="this Python refuses it")),
    ],
)
def test_a_thread_of_a_script_without_a_guard_is_told_so(tmp_path: Path, wait: str) -> None:
    """A web application, say: in the fork server the thread is refused, for as long as that lives."""
    told = tmp_path / "told"
    os.mkfifo(told)
    end = f"thread = threading.Thread(target=serve)\nthread.start()\n{wait}\n"
    (tmp_path / "script.py").write_text(EAGER + TOLD.format(told=str(told)) + end)
    code, output = run(tmp_path, "script.py")
    assert code == 0, output
    assert starts(output) == ["started at depth 1"]
    assert f"it ended with {int(ExitCode.DRAINED)}" in output
    assert "put what it runs under `if __name__ == '__main__':`" in output


def test_a_script_that_ends_its_process_is_told_so(tmp_path: Path) -> None:
    guard = 'if __name__ != "__main__":\n    sys.exit(7)\n'
    body = BODY.replace("    assert report", "    return int(report.exit_code)\n    assert report", 1)
    (tmp_path / "script.py").write_text(body + guard + "sys.exit(main())\n")
    code, output = run(tmp_path, "script.py")
    assert code == ExitCode.GAVE_UP, output
    assert "ends the process that loads it: put what it runs under" in output


def test_a_typed_session_is_refused_in_one_line_without_the_extra(tmp_path: Path) -> None:
    code, output = run(tmp_path, "-c", "import sys; sys.modules['cloudpickle'] = None\n" + BODY + "main()")
    assert code == 1
    assert "ConfigurationError: actor 'source': its behavior source was typed into an interactive session" in output
