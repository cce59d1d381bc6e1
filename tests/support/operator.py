"""A run in a process of its own, and the commands that somebody at its machine has for it."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from steady_mp.cli.main import main
from steady_mp.cli.ps import look
from steady_mp.cli.runs import all_runs
from steady_mp.errors import ConfigurationError
from steady_mp.memory.rundir import default_root, sweep
from tests.support.hosts import HOST, Process, all_gone
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_PATIENCE = 10.0
_LONG_PATIENCE = 20.0


class Told(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it wrote as JSON."""
        assert self.out, self
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

    def freezes(self, actor: str, *channels: str) -> None:
        """Stop an actor's process, and wait until all `channels` that lead to it are full, the last one first.

        A state alone may be an old one: who is blocked may have got room meanwhile, and not have had a core since.
        """
        assert self.types("kill", actor, "--signal", "STOP").status == 0
        assert eventually(lambda: self.actors()[actor]["state"] == "stopped", _LONG_PATIENCE)
        for channel in channels:
            self._wait_full(channel)

    def _wait_full(self, channel: str) -> None:
        def is_full() -> bool:
            seen = self.types("peek", channel, "--json").data
            return bool(seen["sent"] - seen["taken"] == seen["capacity"])

        assert eventually(is_full, _LONG_PATIENCE)
        producer, name = channel.partition("->")[0], channel.replace("->", "→")
        assert eventually(lambda: self.actors()[producer]["blocked_on"] == name, _LONG_PATIENCE)


@contextmanager
def hosted(scene: str, *actors: str) -> Iterator[Process]:
    """Run a scene of `tests.support.host` until this is left; begins when `actors` are at work and it hears signals."""
    family: list[psutil.Process] = []
    try:
        with Process(*HOST, scene) as host:
            for actor in actors:
                host.wait_line(f"started {actor} ")
            try:
                assert eventually(lambda: _is_up(host.pid, actors), _LONG_PATIENCE)
                host.wait_hearing()
                family += host.family()
                yield host
            finally:
                with suppress(psutil.NoSuchProcess):
                    family += host.family()
    finally:
        assert all_gone(family, _PATIENCE)
        sweep(default_root())


def _is_up(supervisor: int, actors: tuple[str, ...]) -> bool:
    """Tell whether a run can be asked for everything: a process that has just been started can't."""
    states: dict[str, str] = {}
    for found in all_runs():
        if found.status.pid == supervisor:
            with suppress(ConfigurationError):
                states = {actor["name"]: actor["state"] for actor in look(found)["actors"]}
    return all(states.get(actor, "starting") not in {"starting", "restarting"} for actor in actors)
