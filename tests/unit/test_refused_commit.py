"""A commit that is refused leaves nothing behind, whatever the behavior does next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from steady_mp import StateError
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.testing.rig import pair

if TYPE_CHECKING:
    from steady_mp.testing.rig import Party


def refuse(*_: object) -> NoReturn:
    message = "the disk is full"
    raise StateError(message)


class FullDisk:
    """Takes nothing."""

    write = seal = staticmethod(refuse)


def commit_too_much(source: Party, channel: int) -> None:
    """Be refused once, and take back what was too much."""
    noted: list[str] = source.state().acquire(list)
    noted.append("too much")
    with pytest.raises(StateError, match="the disk is full"):
        source.send(channel, 1)
    noted.pop()


def is_as_before(source: Party, channel: int) -> None:
    source.turn.commit()
    source.begin()
    assert source.state().acquire(list) == ["kept"]
    assert source.tx(channel).position() == 2


def test_a_state_that_could_not_be_written_and_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    _, source, _, channel = pair()
    source.state().acquire(lambda: ["kept"])
    source.send(channel, 0)
    with monkeypatch.context() as patch:
        patch.setattr(SnapshotSlots, "write", refuse)
        commit_too_much(source, channel)
    is_as_before(source, channel)


def test_a_commit_that_the_disk_refused_and_a_state_that_is_taken_back() -> None:
    _, source, _, channel = pair()
    source.state().acquire(lambda: ["kept"])
    source.send(channel, 0)
    turn: Any = source.turn
    turn._sync = FullDisk()
    commit_too_much(source, channel)
    turn._sync = None
    is_as_before(source, channel)
