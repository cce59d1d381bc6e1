"""`steady-mp top` where there is no terminal, or one that can't be drawn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp.cli import top
from steady_mp.cli.view import Terminal
from steady_mp.errors import ExitCode
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_terminal_that_can_not_be_drawn_on_is_shown_it_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_settings: object) -> Callable[[], None]:
        pytest.fail("drew on a terminal that moves no cursor")

    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(top, "Terminal", lambda: Terminal(force_terminal=True))
    monkeypatch.setattr(top, "Live", refuse)
    with Simulated() as run:
        assert top.top(str(run.run.path), once=False) == ExitCode.DRAINED
    assert "restarts" in capsys.readouterr().out
