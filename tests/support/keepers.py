"""Behaviors whose state can't be saved or read back."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steady_mp import Actor, SteadyState


@dataclass
class Growing:
    rounds: int = 0
    data: bytes = b""


@dataclass
class Locked:
    lock: Any = field(default_factory=threading.Lock)


def grow(actor: Actor, step: int, state: SteadyState[Growing]) -> None:
    """Keep more and more."""
    kept = state.acquire(Growing)
    while actor.is_running():
        kept.rounds += 1
        kept.data += os.urandom(step)
        actor.commit()


def grow_and_shrug(actor: Actor, step: int, state: SteadyState[Growing]) -> None:
    """Keep more and more, and go on when that fails, as a careless behavior may."""
    kept = state.acquire(Growing)
    shrugs = 0
    while shrugs < 3:
        kept.rounds += 1
        kept.data += os.urandom(step)
        try:
            actor.commit()
        except Exception:  # noqa: BLE001 - careless
            shrugs += 1
            kept.data = b""
    print("rounds:", kept.rounds)  # noqa: T201 - the test compares it


def lock_up(actor: Actor, state: SteadyState[Locked]) -> None:
    """Keep what can't be pickled."""
    state.acquire(Locked)
    actor.commit()


def damage(actor: Actor, state: SteadyState[Growing]) -> None:
    """Damage what was saved, and die."""
    kept = state.acquire(Growing)
    for _ in range(3):
        kept.rounds += 1
        actor.commit()
    for file in Path(os.environ["STEADY_MP_RUN"]).glob("actor-*.snapshot-*"):
        data = bytearray(file.read_bytes())
        data[20] ^= 0xFF
        with file.open("r+b") as stream:
            stream.write(data)
    os.kill(os.getpid(), signal.SIGKILL)


def change(actor: Actor, state: SteadyState[Growing]) -> None:
    """Save a state of another version than the code of the next life has."""
    if actor.generation == 1:
        Growing.state_version = 7  # type: ignore[attr-defined]
    state.acquire(Growing).rounds += 1
    actor.commit()
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Modern:
    total: int = 0
    lives: list[int] = field(default_factory=list)
    state_version = 2

    @classmethod
    def migrate(cls, old_version: int, data: dict[str, Any]) -> Modern:
        """Count by tens since version 2; version 1 can't be read any more."""
        if old_version == 1:
            message = "nobody remembers version 1"
            raise LookupError(message)
        return cls(total=data["total"] * 10, lives=data["lives"])


def modernize(actor: Actor, old_version: int, state: SteadyState[Modern]) -> None:
    """Save a state of an old version in the first life, and one of today's in the next ones."""
    if actor.generation == 1:
        Modern.state_version = old_version
    kept = state.acquire(Modern)
    kept.total += 1
    kept.lives.append(actor.generation)
    actor.commit()
    if actor.generation < 3:
        os.kill(os.getpid(), signal.SIGKILL)


def hoard(actor: Actor, size: int, state: SteadyState[Growing]) -> None:
    """Keep far more than is needed, and do nothing else."""
    kept = state.acquire(lambda: Growing(data=bytes(size)))
    while actor.is_running():
        kept.rounds += 1
        actor.commit()
