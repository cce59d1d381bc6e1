"""Dead letters: messages that were put aside, each a file of its own in the run directory.

    letters/<channel>-<position>        the letter: a line of facts as JSON, then the message as one pickle
    letters/<channel>-<position>.done   the same once it was replayed; its message is out of it
    letters/<channel>.orders            the positions that are to be replayed, in this order; null for one withdrawn
    letters/<actor>.suspects            what was in hand at the latest deaths of an actor, and how often

The file *is* the quarantine: a consumer passes over every position for which there is one, and reads that when its life
begins. So one rename moves a message from its channel to the letters, and there is no instant at which it is in both
or in neither. How many orders a consumer has carried out stands in its journal (`layout.CLOSED_BITS`): a replay holds
from the same commit as everything else of its turn.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from steady_mp.memory import disk, layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.damage import damage_of
from steady_mp.memory.files import is_ours, make_folder
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.status import UNREADABLE

FOLDER: Final = "letters"
_DONE: Final = ".done"
_ORDERS: Final = ".orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that was put aside. `message` is its pickle, empty where the channel's policy drops it."""

    channel: str
    index: int
    position: int
    actor: str
    policy: str
    time: float
    #: How many messages were put aside with it, because they had been taken together.
    together: int = 1
    #: Of each death with it in hand: generation, cause, time; more where more is known.
    deaths: list[dict[str, Any]] = field(default_factory=list)
    shown: str = ""
    message: bytes = b""

    def to_bytes(self) -> bytes:
        """Write it down."""
        facts = asdict(self)
        del facts["message"]
        return json.dumps(facts).encode() + b"\n" + self.message

    @classmethod
    def from_bytes(cls, data: bytes) -> Letter:
        """Read what `to_bytes` wrote. Raises ValueError or TypeError for anything else."""
        head, _, message = data.partition(b"\n")
        return cls(**json.loads(head), message=message)


class Suspect(NamedTuple):
    """Messages `first` to `last` of a channel, and the deaths in a row with them in hand."""

    channel: int
    first: int
    last: int
    deaths: tuple[dict[str, Any], ...]


class Order(NamedTuple):
    """A letter that is to be delivered."""

    position: int
    message: bytes


class Mail(NamedTuple):
    """What a consumer's life has to know of one channel: see `Letters.mail`."""

    holes: frozenset[int] = frozenset()
    orders: tuple[Order | None, ...] = ()
    suspects: tuple[Suspect, ...] = ()


def orders_done(closed: int) -> int:
    """Return how many orders a consumer's committed cursor says it has carried out."""
    return closed >> layout.CLOSED_BITS


class Letters:
    """The letters of one run. Written by its supervisor, read by anybody."""

    def __init__(self, directory: Path) -> None:
        """Look into the run directory, or into what was kept of one."""
        self.path = directory / FOLDER

    # Reading

    def names(self, *, surely: bool = False) -> list[tuple[int, int, bool]]:
        """Return channel and position of each letter, and whether it was replayed.

        Where that can't be found out there is none, or, `surely`, OSError is raised.
        """
        found = []
        with suppress(FileNotFoundError if surely else OSError):
            for entry in self.path.iterdir():
                channel, _, position = entry.name.removesuffix(_DONE).partition("-")
                if channel.isdecimal() and position.isdecimal():
                    found.append((int(channel), int(position), entry.name.endswith(_DONE)))
        return sorted(found)

    def all(self, *, surely: bool = False) -> list[Letter]:
        """Return the letters that were not replayed, by channel and position; a damaged one is left out.

        `surely` is as for `names`.
        """
        found = []
        for channel, position, done in self.names(surely=surely):
            with suppress(OSError, ValueError, TypeError):
                if not done:
                    found.append(self.read(channel, position))
        return found

    def read(self, channel: int, position: int) -> Letter:
        """Return one letter. Raises OSError, ValueError or TypeError where there is none."""
        return Letter.from_bytes((self.path / f"{channel}-{position}").read_bytes())

    def holes(self, channel: int) -> frozenset[int]:
        """Return the positions of a channel that its consumer passes over."""
        return frozenset(position for index, position, _ in self.names() if index == channel)

    def orders(self, channel: int) -> list[int | None]:
        """Return the positions of a channel that were ever to be replayed; None for one withdrawn."""
        try:
            orders: list[int | None] = json.loads(self.orders_path(channel).read_bytes())
        except FileNotFoundError:
            return []
        return orders

    def orders_path(self, channel: int) -> Path:
        """Return the file of them."""
        return self.path / f"{channel}{_ORDERS}"

    def suspects(self, actor: int) -> list[Suspect]:
        """Return what was in hand at the latest deaths of an actor."""
        try:
            rows = json.loads((self.path / f"{actor}.suspects").read_bytes())
        except FileNotFoundError:
            return []
        return [Suspect(channel, first, last, tuple(deaths)) for channel, first, last, deaths in rows]

    def mail(self, channel: int, actor: int) -> Mail:
        """Return what the next life of the consumer has to know of a channel.

        Raises OSError where that can't be read: a letter that is not seen would be delivered once more.
        """
        if not self.path.exists():
            return Mail()
        here = [(position, replayed) for index, position, replayed in self.names(surely=True) if index == channel]
        holes = frozenset(position for position, _ in here)
        done = {position for position, replayed in here if replayed}
        orders = tuple(
            None
            if position is None
            else Order(position, b"" if position in done else self.read(channel, position).message)
            for position in self.orders(channel)
        )
        return Mail(holes, orders, tuple(each for each in self.suspects(actor) if each.channel == channel))

    # Writing; each is one rename, and repeating it changes nothing

    def put(self, letter: Letter) -> None:
        """Keep a letter: from here on its message is out of its channel. It survives a loss of power as well."""
        self._write(f"{letter.index}-{letter.position}", letter.to_bytes())

    def order(self, channel: int, orders: list[int | None]) -> None:
        """Replace the orders of a channel."""
        self._write(self.orders_path(channel).name, json.dumps(orders).encode())

    def suspect(self, actor: int, suspects: list[Suspect]) -> None:
        """Replace what was in hand at the latest deaths of an actor."""
        self._write(f"{actor}.suspects", json.dumps(suspects).encode())

    def settle(self, channel: int, done: int) -> None:
        """Take out of the letters what the consumer has committed: its first `done` orders."""
        for position in self.orders(channel)[:done]:
            with suppress(FileNotFoundError):
                if position is not None:
                    (self.path / f"{channel}-{position}").rename(self.path / f"{channel}-{position}{_DONE}")

    def _write(self, name: str, data: bytes) -> None:
        make_folder(self.path, exist_ok=True)
        disk.replace(self.path / name, data)
        disk.settle(self.path.parent)  # the folder itself may be new


def letters_root() -> Path:
    """Where the letters of runs lie whose directory is gone: the temporary folder (TMPDIR)."""
    return Path(tempfile.gettempdir()) / f"steady-mp-letters-{os.getuid()}"


def rescue(directory: Path) -> Path | None:
    """Copy the letters of a run that is about to be removed; say where they are, or None where it has none.

    Raises OSError where that can't be done; nothing may be removed then.
    """
    letters = Letters(directory)
    _settle(directory, letters)
    if not any(letter.policy != "skip" for letter in letters.all(surely=True)):
        return None
    goal = letters_root() / directory.name
    make_folder(goal.parent, exist_ok=True)
    if not is_ours(goal.parent):
        message = f"{goal.parent} belongs to somebody else"
        raise PermissionError(message)
    make_folder(goal, exist_ok=True)
    shutil.copytree(directory / FOLDER, goal / FOLDER, dirs_exist_ok=True)
    for name in ("graph.json", "status.json"):
        with suppress(FileNotFoundError):
            shutil.copyfile(directory / name, goal / name)
    return goal


def _settle(directory: Path, letters: Letters) -> None:
    """Mark what was delivered: the supervisor, which does so as a rule, may have been killed before.

    Only the journals tell it, which go with the directory. Where one can't be read, its letters count as left.
    """
    with suppress(*UNREADABLE):
        graph = json.loads((directory / "graph.json").read_bytes())
        for index, channel in enumerate(graph["channels"]):
            if letters.orders(index):
                ends = graph["actors"][channel["consumer"]]["ends"]
                block = directory / f"actor-{channel['consumer']}.control"
                if damage_of(block, layout.control_bytes(len(ends))):
                    continue
                mapping = Mapping(block, read_only=True)
                try:
                    cursors = ControlBlock(mapping, len(ends)).journal().cursors
                    done = orders_done(cursors[ends.index({"channel": index, "sends": False})].closed)
                    letters.settle(index, done)
                finally:
                    mapping.close()
