"""The command from its words to its exit status, with a graph that starts no process."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode
from steady_mp.cli import again
from steady_mp.cli import main as cli
from steady_mp.cli import run as command
from steady_mp.errors import ConfigurationError, StartError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass
class FakeReport:
    exit_code: ExitCode = ExitCode.DRAINED
    why: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {
            "graph": "fake",
            "clean": self.exit_code == ExitCode.DRAINED,
            "why": self.why,
            "exit_code": int(self.exit_code),
            "wall_time": 0.5,
            "actors": [],
            "channels": [],
        }


@dataclass
class FakeGraph:
    """Remembers what it was made with and what was declared; ends as it is told to."""

    report: FakeReport = field(default_factory=FakeReport)
    waits: list[BaseException] = field(default_factory=list)
    """What the waits raise, before the one that gives the report."""
    refuses: Exception | None = None
    while_it_starts: Callable[[], None] = lambda: None
    while_it_runs: Callable[[], None] = lambda: None
    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    actors: list[tuple[Any, ...]] = field(default_factory=list)
    shutdowns: list[str] = field(default_factory=list)
    telemetry: object = None
    log: object = None

    def __call__(self, name: str, **settings: Any) -> FakeGraph:
        self.made.append((name, settings))
        return self

    def channel(self, **_settings: Any) -> tuple[str, str]:
        return "tx", "rx"

    def state(self) -> str:
        return "state"

    def actor(self, *declared: Any) -> None:
        self.actors.append(declared)

    def start(self, *, telemetry: object, log: object, **_options: object) -> FakeGraph:
        self.telemetry = telemetry
        self.log = log
        self.while_it_starts()
        if self.refuses:
            raise self.refuses
        return self

    def block_until_stopped(self) -> FakeReport:
        self.while_it_runs()
        if self.waits:
            raise self.waits.pop(0)
        return self.report

    def request_shutdown(self, reason: str) -> None:
        self.shutdowns.append(reason)


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> FakeGraph:
    fake = FakeGraph()
    monkeypatch.setattr(command, "Graph", fake)
    for name in ("RATE", "BEATS", "LOG", "REPORT", "SHUTDOWN_TIMEOUT"):
        monkeypatch.delenv(f"STEADY_MP_{name}", raising=False)
    return fake


@pytest.fixture
def refused(graph: FakeGraph, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must be refused, and gives its line."""

    def run(*words: str, status: ExitCode = ExitCode.BAD_CONFIGURATION) -> str:
        assert cli.main(words) == status
        shown = capfd.readouterr()
        assert not graph.shutdowns
        assert not shown.out
        assert shown.err.startswith("steady-mp: ")
        assert shown.err.count("\n") == 1
        return shown.err

    return run


def beats_of(graph: FakeGraph) -> tuple[float, int]:
    """Period and number of beats that the example's heartbeat was declared with."""
    (heartbeat,) = [declared for declared in graph.actors if declared[0] == "heartbeat"]
    return heartbeat[3], heartbeat[4]


# What is run


def test_the_example_runs_by_default(graph: FakeGraph) -> None:
    assert cli.main(["run"]) == 0
    assert graph.made == [("actors", {"shutdown_timeout": 15.0, "log_level": "info", "spare": True})]
    assert [declared[0] for declared in graph.actors] == ["heartbeat", "generator", "worker", "logger"]
    assert beats_of(graph) == (1.0, 120)


def test_options_reach_the_graph(graph: FakeGraph) -> None:
    words = "run --rate 500 --beats 60 --log-level warning --shutdown-timeout 2 --no-spare"
    assert cli.main(words.split()) == 0
    assert graph.made == [("actors", {"shutdown_timeout": 2.0, "log_level": "warning", "spare": False})]
    assert beats_of(graph) == (0.5, 60)


def test_environment_and_file_reach_the_graph(
    graph: FakeGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.toml"
    file.write_text("[run]\nlog_level = 'error'\n[args]\nrate = 3\nbeats = 4\n", encoding="utf-8")
    monkeypatch.setenv("STEADY_MP_LOG", "debug")
    monkeypatch.setenv("STEADY_MP_BEATS", "5")
    assert cli.main(["run", "--config", str(file)]) == 0
    assert graph.made[0][1]["log_level"] == "debug"
    assert beats_of(graph) == (0.003, 5)


# How it ends


@pytest.mark.parametrize("status", list(ExitCode))
def test_the_exit_status_is_the_reports(graph: FakeGraph, status: ExitCode) -> None:
    graph.report.exit_code = status
    assert cli.main(["run"]) == status


def test_the_report_is_on_the_terminal_and_in_the_file(
    graph: FakeGraph, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    graph.report = FakeReport(ExitCode.UNCLEAN, ["logger: 3 lines unwritten"])
    path = tmp_path / "report.json"
    assert cli.main(["run", "--report", str(path)]) == ExitCode.UNCLEAN
    assert json.loads(path.read_text(encoding="utf-8")) == graph.report.to_dict()
    last = capfd.readouterr().out.splitlines()[-1]
    assert last.strip() == "unclean: logger: 3 lines unwritten (after 0.5 s)"


def test_a_report_that_can_not_be_written_is_no_success(
    graph: FakeGraph, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    graph.while_it_runs = folder.rmdir
    assert cli.main(["run", "--report", str(folder / "report.json")]) == ExitCode.UNCLEAN
    assert "can't write the report: No such file or directory" in capfd.readouterr().err


def test_ctrl_c_before_the_wait_has_a_handler_asks_for_a_shutdown(graph: FakeGraph) -> None:
    graph.waits = [KeyboardInterrupt()]
    assert cli.main(["run"]) == 0
    assert graph.shutdowns == ["interrupted"]


def test_ctrl_c_again_ends_without_a_traceback(graph: FakeGraph, capfd: pytest.CaptureFixture[str]) -> None:
    graph.waits = [KeyboardInterrupt(), KeyboardInterrupt()]
    assert cli.main(["run"]) == ExitCode.INTERRUPTED
    assert "Traceback" not in capfd.readouterr().err


def test_a_term_before_the_wait_ends_it_as_ctrl_c_does(graph: FakeGraph) -> None:
    """Unheard, it would kill this process, and leave its actors to be found by the next run."""
    graph.while_it_starts = lambda: signal.raise_signal(signal.SIGTERM)
    before = signal.getsignal(signal.SIGTERM)
    assert cli.main(["run"]) == ExitCode.INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_behind_the_verdict_does_not_change_it(graph: FakeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the interpreter takes a while, and a Ctrl-C that comes then would be the exit status."""
    monkeypatch.setattr(sys, "argv", ["steady-mp", "run"])
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        assert cli.main() == graph.report.exit_code == ExitCode.DRAINED
        for number in numbers:
            signal.raise_signal(number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# What is refused


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("run --rate -5", "--rate: must be greater than 0, not '-5'"),
        ("run --beats 0", "--beats: must be greater than 0, not '0'"),
        ("run --rate abc", "--rate: must be a valid integer, not 'abc'"),
        ("run --beatz 3", "No such option: --beatz (Possible options: --beats"),
        ("run --log-level loud", "--log-level: must be 'debug', 'info', 'warning' or 'error', not 'loud'"),
        ("run --shutdown-timeout 0", "--shutdown-timeout: must be greater than 0"),
        ("run --config nowhere.toml", "nowhere.toml: can't read the configuration: No such file or directory"),
        ("run --report /nowhere/report.json", "there is no folder /nowhere"),
        ("run nowhere:build_graph", "there is no module nowhere"),
        ("run actors:nothing", "actors has no function nothing; did you mean actors:build_graph?"),
        ("run --mode actors:build_graph", "No such option: --mode"),
        ("run --report actors:build_graph --rate", "Option '--rate' requires an argument"),
        ("rum", "No such command 'rum'. Did you mean 'run'?"),
        ("--nothing", "No such option: --nothing"),
    ],
)
def test_a_mistake_is_one_line(refused: Callable[..., str], words: str, message: str) -> None:
    assert message in refused(*words.split())


def test_a_target_in_the_place_of_a_value_is_told(refused: Callable[..., str]) -> None:
    assert "put the target before the options" in refused("run", "--rate", "actors.pipeline:build_graph")


def test_a_run_that_began_with_a_token_is_not_resumed_without(refused: Callable[..., str], tmp_path: Path) -> None:
    words = ["actors:build_graph", "--durable", "folder", "--token", "open sesame, please"]
    (tmp_path / "command.json").write_bytes(again.note(words)["command.json"])
    assert "began with a token, which is not kept" in refused("run", "--resume", str(tmp_path))


def test_a_key_that_nobody_reads_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text("[run]\nloglevel = 'info'\n", encoding="utf-8")
    assert "line 2: run.loglevel is not known; did you mean 'log_level'?" in refused("run", "--config", str(file))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("channel 'a' has no consumer;\nhand it to one"), ExitCode.BAD_CONFIGURATION),
        (StartError("no process could be started"), ExitCode.UNCLEAN),
    ],
)
def test_a_graph_that_refuses_to_start_says_so(
    graph: FakeGraph, refused: Callable[..., str], error: Exception, status: ExitCode
) -> None:
    graph.refuses = error
    assert refused("run", status=status) == f"steady-mp: {' '.join(str(error).split())}\n"


@pytest.mark.parametrize(("error", "said"), [(KeyError("pair"), "KeyError: 'pair'"), (SystemExit(0), "SystemExit: 0")])
def test_a_target_that_raises_is_one_line(
    graph: FakeGraph, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    def broken(**_settings: Any) -> tuple[str, str]:
        raise error

    monkeypatch.setattr(graph, "channel", broken)
    line = refused("run")
    assert f"actors:build_graph raised {said} (test_run.py, line" in line
    assert line.endswith("--log-level debug shows the whole of it\n")


# Without a command


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == "steady-mp 0.1.0\n"


@pytest.mark.parametrize(("words", "status"), [([], 2), (["--help"], 0)])
def test_without_a_command_there_is_help(words: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == status
    assert "Run a graph until it has drained" in capsys.readouterr().out
