"""How a signal may be written, and what it is called when it was sent."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest

from steady_mp.cli import kill
from steady_mp.cli.kill import signal_of
from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout
from steady_mp.supervisor.cause import cause_of


class Run:
    """As much of a run as a signal takes."""

    def __init__(self, _directory: Path) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def actor(self, _name: str) -> int:
        return 0

    def control(self, _actor: int) -> SimpleNamespace:
        return SimpleNamespace(words={layout.GENERATION: 3})


@pytest.mark.parametrize("word", ["KILL", "kill", "SIGKILL", "sigkill", "9"])
def test_ways_to_write_a_signal(word: str) -> None:
    assert signal_of(word) == signal.SIGKILL


def test_every_number_of_this_system_is_a_signal_also_where_it_has_no_name() -> None:
    numbers = signal.valid_signals()
    assert {signal_of(str(int(number))) for number in numbers} == numbers


@pytest.mark.parametrize("number", [signal.SIGKILL, max(signal.valid_signals()) - 1])
def test_a_signal_is_called_as_the_log_calls_it(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[int] = []

    def send(number: int) -> bool:
        sent.append(number)
        return True

    monkeypatch.setattr(kill, "find_run", lambda _which: Path())
    monkeypatch.setattr(kill, "Opened", Run)
    monkeypatch.setattr(kill, "process_of", lambda _run, _index: SimpleNamespace(pid=7, send=send))
    assert kill.kill("worker", None, name=str(int(number)), as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["signal"] == cause_of(-number)
    assert kill.kill("worker", None, name=str(int(number)), as_json=False) == 0
    assert capsys.readouterr().out.startswith(f"{cause_of(-number)} sent to worker, life 3, process 7")
    assert sent == [number, number]


@pytest.mark.parametrize("word", ["", "0", "-9", "999", "SIG", "DFL", "_DFL", "BLOCK", "²", "KILL KILL"])
def test_what_is_none(word: str) -> None:
    with pytest.raises(ConfigurationError, match="is no signal of this system"):
        signal_of(word)
