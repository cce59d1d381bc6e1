"""How a signal may be written."""

from __future__ import annotations

import signal

import pytest

from steady_mp.cli.kill import signal_of
from steady_mp.errors import ConfigurationError


@pytest.mark.parametrize("word", ["KILL", "kill", "SIGKILL", "sigkill", "9"])
def test_ways_to_write_a_signal(word: str) -> None:
    assert signal_of(word) is signal.SIGKILL


@pytest.mark.parametrize("word", ["", "0", "-9", "999", "SIG", "DFL", "_DFL", "BLOCK", "²", "KILL KILL"])
def test_what_is_none(word: str) -> None:
    with pytest.raises(ConfigurationError, match="is no signal of this system"):
        signal_of(word)
