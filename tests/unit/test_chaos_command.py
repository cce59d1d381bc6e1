"""`steady-mp run --chaos`: what is refused, what judges the result, and what is shown; no process starts here."""

from __future__ import annotations

import errno
import io
import os
import re
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from rich.console import Console

from steady_mp import ExitCode, Report
from steady_mp.cli import main as cli
from steady_mp.cli import run as command
from steady_mp.cli import summary, verdict
from steady_mp.cli.live import LiveCount
from steady_mp.cli.target import Target
from steady_mp.errors import ConfigurationError
from steady_mp.supervisor.report import ChaosReport, Toll
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Callable

CHAOS = ChaosReport(
    rate=5.0,
    freeze=0.25,
    seed=7,
    kills=1024,
    freezes=1,
    actors={"worker": Toll(kills=1000, freezes=1), "logger": Toll(kills=24)},
)


def report(*, clean: bool = True, chaos: ChaosReport | None = CHAOS) -> Report:
    return Report(
        graph="shop",
        clean=clean,
        why=[] if clean else ["worker did not stop in time: busy"],
        exit_code=ExitCode.DRAINED if clean else ExitCode.UNCLEAN,
        wall_time=1.5,
        actors=[],
        channels=[],
        chaos=chaos,
    )


def target(check: object) -> Target:
    return Target(module="shop.orders", function="build_graph", build=print, args=None, check=check)


# What is refused


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must be refused before any graph is made, and give its line."""

    def forbidden(*_: Any, **__: Any) -> None:
        pytest.fail("a graph was made")

    monkeypatch.setattr(command, "Graph", forbidden)
    for name in [name for name in os.environ if name.startswith("STEADY_MP_") and name != "STEADY_MP_ROOT"]:
        monkeypatch.delenv(name)

    def run(words: str) -> str:
        assert cli.main(["run", *words.split()]) == ExitCode.BAD_CONFIGURATION
        shown = capfd.readouterr()
        assert not shown.out
        assert shown.err.count("\n") == 1
        return shown.err

    return run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--chaos fast", "--chaos: must be a valid number, not 'fast'"),
        ("--chaos -1", "--chaos: must be greater than or equal to 0, not '-1'"),
        ("--chaos 1001", "--chaos: must be less than or equal to 1000, not '1001'"),
        ("--chaos nan", "--chaos: must be a finite number, not 'nan'"),
        ("--chaos 5 --freeze 1.5", "--freeze: must be less than or equal to 1, not '1.5'"),
        ("--chaos 5 --freeze half", "--freeze: must be a valid number, not 'half'"),
        ("--chaos 5 --seed -1", "--seed: must be greater than or equal to 0, not '-1'"),
        ("--chaos 5 --seed 1.5", "--seed: must be a valid integer, not '1.5'"),
        ("--freeze 0.5", "--freeze does nothing without --chaos RATE; add it, like --chaos 5"),
        ("--seed 7", "--seed does nothing without --chaos RATE"),
        ("--chaos 0 --seed 7", "--seed does nothing without --chaos RATE"),
        ("--chaos", "Option '--chaos' requires an argument"),
    ],
)
def test_a_mistake_is_one_line(refused: Callable[[str], str], words: str, message: str) -> None:
    assert message in refused(words)


def test_the_environment_is_held_to_the_same(refused: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADY_MP_CHAOS", "-5")
    assert "environment variable STEADY_MP_CHAOS: must be greater than or equal to 0, not '-5'" in refused("")


def takes_nothing() -> list[str]:
    return []


def takes_more(_report: Report, _args: object) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (7, "shop.orders:check_report is no function, it is of type int"),
        (takes_nothing, "can't be called as check_report(report): too many positional arguments"),
        (takes_more, "can't be called as check_report(report): missing a required argument: '_args'"),
    ],
)
def test_a_check_that_can_not_be_called_is_refused_before_the_start(check: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        verdict.refuse_unfit(target(check))


@pytest.mark.parametrize("check", [None, print, lambda _report: [], lambda _report, _more=1: []])
def test_one_that_can_be_called_is_taken(check: object) -> None:
    verdict.refuse_unfit(target(check))


# The verdict


def test_a_result_that_is_exact() -> None:
    seen: list[Report] = []

    def check(found: Report) -> list[str]:
        seen.append(found)
        return []

    judged = verdict.judge(report(), target(check))
    assert seen == [report()]
    assert judged.chaos is not None
    assert (judged.chaos.exact, judged.chaos.wrong) == (True, [])
    assert (judged.clean, judged.exit_code, judged.why) == (True, ExitCode.DRAINED, [])


def returns(value: object) -> Callable[[Report], object]:
    return lambda _report: value


def raises(_report: Report) -> NoReturn:
    raise KeyError("orders")


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (returns(["one is missing", "one came twice"]), "one is missing"),
        (returns(("one is missing",)), "one is missing"),
        (raises, "shop.orders:check_report raised KeyError: 'orders' (test_chaos_command.py, line"),
        (returns(None), "shop.orders:check_report returned None and no list of texts"),
        (returns("wrong"), "shop.orders:check_report returned 'wrong' and no list of texts"),
        (returns([1]), "shop.orders:check_report returned [1] and no list of texts"),
        (returns(0), "shop.orders:check_report returned 0 and no list of texts"),
    ],
)
def test_a_wrong_result_is_no_success(check: object, line: str) -> None:
    judged = verdict.judge(report(), target(check))
    assert judged.chaos is not None
    assert judged.chaos.exact is False
    assert judged.chaos.wrong[0].startswith(line)
    assert judged.why == judged.chaos.wrong
    assert (judged.clean, judged.exit_code) == (False, ExitCode.WRONG_RESULT)


@pytest.mark.parametrize(
    ("found", "check"),
    [(report(clean=False), raises), (report(), None), (report(chaos=None), raises)],
    ids=["not drained", "no check", "no chaos"],
)
def test_where_nothing_can_be_judged_the_report_stays_as_it_was(found: Report, check: object) -> None:
    assert verdict.judge(found, target(check)) == found


# What is shown


def shown(found: Report) -> list[str]:
    stream = io.StringIO()
    summary.show(found.to_dict(), Console(file=stream))
    return [" ".join(line.split()) for line in stream.getvalue().splitlines() if line.strip()][2:]


def test_the_terminal_says_what_chaos_did_and_what_came_out() -> None:
    assert shown(verdict.judge(report(), target(returns([])))) == [
        "chaos kills freezes",
        "worker 1,000 1",
        "logger 24 0",
        "chaos: 1,024 kills, 1 freeze (seed 7)",
        "drained (after 1.5 s)",
        "exact: the graph's own check finds nothing wrong with the result",
    ]


def test_what_is_wrong_is_said_once() -> None:
    assert shown(verdict.judge(report(), target(returns(["one is missing", "one came\ntwice"]))))[3:] == [
        "chaos: 1,024 kills, 1 freeze (seed 7)",
        "wrong result: one is missing; one came twice (after 1.5 s)",
    ]


@pytest.mark.parametrize(
    ("clean", "line"),
    [
        (True, "not checked: the target's module has no check_report(report)"),
        (False, "not checked: the run did not drain"),
    ],
)
def test_what_was_not_checked_is_not_called_exact(*, clean: bool, line: str) -> None:
    assert shown(report(clean=clean))[-1] == line


def test_a_run_without_chaos_does_not_speak_of_it() -> None:
    assert shown(report(chaos=None)) == ["drained (after 1.5 s)"]


def test_without_freezes_nobody_speaks_of_them() -> None:
    facts = {"kills": 1, "freezes": 0, "freeze": 0.0, "seed": 7}
    assert summary.toll(facts).plain == "chaos: 1 kill (seed 7)"


# The live count


class Loose:
    """A monkey and a run, as the live count sees them."""

    kills, freezes, freeze, seed = 3, 1, 0.5, 7

    def __init__(self, simulated: Simulated) -> None:
        self.directory = simulated.run.path


class Screen(io.StringIO):
    """What a console writes to; tells when something was written, and fails if it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.written = threading.Event()
        self._fails = fails

    def write(self, text: str) -> int:
        if "taken" in text:
            self.written.set()
            if self._fails:
                raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def console_on(screen: Screen, *, terminal: bool) -> Console:
    """A console that does not look at this machine's environment."""
    return Console(file=screen, force_terminal=terminal, width=100, color_system=None, _environ={"TERM": "xterm"})


def show(screen: Screen, *, terminal: bool, pause: float = 0.001) -> str:
    """Show a count until it was written, and give what was written."""
    console = console_on(screen, terminal=terminal)
    with Simulated() as simulated:
        simulated.carry(5, 3)
        loose: Any = Loose(simulated)
        count = LiveCount(console, pause)
        assert (count.output is not None) == terminal
        with count.show(loose, loose):
            assert screen.written.wait(10)
    return screen.getvalue()


def test_without_a_terminal_there_is_a_line_every_so_often() -> None:
    shown = show(Screen(), terminal=False)
    assert re.match(r"after \d+ s, seed 7: 3 kills, 1 freeze, 3 messages taken\n", shown), shown


def test_a_terminal_has_one_line_that_goes_when_the_run_does() -> None:
    text = show(Screen(), terminal=True)
    assert "seed 7: 3 kills, 1 freeze, 3 messages taken" in text
    assert text.endswith("\x1b[2K")  # the line is erased


def test_a_full_disk_ends_the_count_and_nothing_else() -> None:
    assert "taken" not in show(Screen(fails=True), terminal=False)


def test_the_log_goes_above_the_line() -> None:
    screen = Screen()
    count = LiveCount(console_on(screen, terminal=True))
    assert count.output is not None
    count.output.write("12:00:00.000 worker [bold]Msg 7\n")
    assert screen.getvalue() == "12:00:00.000 worker [bold]Msg 7\n"


def test_a_run_that_is_over_at_once_is_counted_by_nobody() -> None:
    screen = Screen()
    with Simulated() as simulated:
        loose: Any = Loose(simulated)
    with LiveCount(Console(file=screen), pause=0.001).show(loose, loose):
        pass
    assert not screen.getvalue()
