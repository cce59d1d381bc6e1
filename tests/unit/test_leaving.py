"""An actor's process ends with the status that was meant, whatever has become of its streams."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp.supervisor import child
from steady_mp.supervisor.exits import RECYCLED

if TYPE_CHECKING:
    from collections.abc import Callable


class Left(BaseException):
    """The process would be gone."""


class Tee:
    """Something that is written to, and knows no more."""

    def write(self, text: str) -> None:
        """Take it."""


class Stubborn(io.StringIO):
    def flush(self) -> None:
        raise SystemExit(9)


def closed() -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    return stream


def leave(status: int) -> NoReturn:
    raise Left(status)


@pytest.mark.parametrize("make", [lambda: None, closed, Tee, Stubborn])
def test_a_stream_that_can_t_be_flushed_is_no_failure(
    make: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(io.StringIO):
        flushed = False

        def flush(self) -> None:
            self.flushed = True

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(logging, "shutdown", lambda: None)
    monkeypatch.setattr(sys, "stdout", make())
    monkeypatch.setattr(sys, "stderr", other := Other())
    with pytest.raises(Left, match=f"^{RECYCLED}$"):
        child._leave(RECYCLED)
    assert other.flushed


def test_neither_is_a_handler_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NoReturn:
        message = "a handler of the user's"
        raise RuntimeError(message)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(logging, "shutdown", refuse)
    with pytest.raises(Left, match=r"^3$"):
        child._leave(3)
