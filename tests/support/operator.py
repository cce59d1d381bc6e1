"""A run in a process of its own, and the commands that somebody at its machine has for it."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from steady_mp.cli.main import main
from steady_mp.memory.rundir import default_root, sweep
from tests.support.hosts import HOST, Process, all_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_PATIENCE = 10.0


class Told(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it wrote as JSON."""
        return json.loads(self.out)


class Operator:
    """Types commands."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def types(self, *words: str) -> Told:
        """Run one command in this process."""
        self._capsys.readouterr()
        status = main(words)
        return Told(status, *self._capsys.readouterr())

    def read(self) -> str:
        """Return what was written since the last command."""
        return self._capsys.readouterr().out

    def refused(self, *words: str) -> str:
        """Run a command that must fail, in one line, and return the line."""
        told = self.types(*words)
        assert told.status in {1, 2}, told
        assert not told.out, told
        assert told.err.startswith("steady-mp: "), told
        assert told.err.count("\n") == 1, told
        return told.err

    def actors(self, *words: str) -> dict[str, dict[str, Any]]:
        """Return the actors of the only run, as ps has them."""
        (run,) = self.types("ps", "--json", *words).data
        return {actor["name"]: actor for actor in run["actors"]}


@contextmanager
def hosted(scene: str, *actors: str) -> Iterator[Process]:
    """Run a scene of `tests.support.host` until this is left; begins when `actors` have started."""
    family: list[psutil.Process] = []
    try:
        with Process(*HOST, scene) as host:
            for actor in actors:
                host.wait_line(f"started {actor} ")
            try:
                family += host.family()
                yield host
            finally:
                with suppress(psutil.NoSuchProcess):
                    family += host.family()
    finally:
        assert all_gone(family, _PATIENCE)
        sweep(default_root())
