"""The kinds of channels: what each has in its file, and which ends it has.

A further kind is a row of `_KINDS`, and what `dtype=` asks for it by, in `shape_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

from steady_mp.channel.lettered import LetteredRx
from steady_mp.channel.receiver import ObjectRx
from steady_mp.channel.ring import Ring
from steady_mp.channel.sender import ObjectTx
from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.channel.store import Mapped, Store
    from steady_mp.channel.waits import Pace
    from steady_mp.memory.control import Cursor
    from steady_mp.memory.hands import Hand
    from steady_mp.memory.letters import Mail

KindName = Literal["object", "lane", "bytes"]

#: Bytes of a ring for each message that it may hold, where nobody said how many.
_RING_PER_MESSAGE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a channel's messages are: all that differs between channels beside their sizes and their places."""

    kind: KindName = "object"
    #: How the items of a lane are written; None for all other kinds.
    dtype: str | None = None
    #: Bytes of an item; 0 where messages differ in size.
    itemsize: int = 0
    #: The ring is mapped twice in a row.
    mirror: bool = False

    def ring_bytes(self, capacity: int, wanted: int | None = None, *, least: int) -> int:
        """Return the bytes of the ring, in whole pages: those `wanted`, or else enough and `least`.

        Raises ConfigurationError where they follow from the capacity, and may not be wanted otherwise.
        """
        size = max(least, capacity * _RING_PER_MESSAGE) if wanted is None else wanted
        return (size + layout.PAGE - 1) & -layout.PAGE


class Planned(Protocol):
    """What this room has to know of a channel; a `ChannelPlan` is one."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def capacity(self) -> int:
        """Most messages that it holds."""

    @property
    def shape(self) -> Shape:
        """What its messages are."""


class _Kind(NamedTuple):
    """A row of the table: what opens the file, and the ends."""

    store: type[Store]
    tx: Callable[[Any, Pace, Cursor], Any]
    rx: Callable[[Any, Pace, Cursor, Hand | None, Mail | None], Any]
    #: The receiving end of a life that finds letters: it passes over what was put aside, and hands out replayed ones.
    lettered: Callable[[Any, Pace, Cursor, Hand | None, Mail], Any]


_KINDS: Final[dict[KindName, _Kind]] = {
    "object": _Kind(Ring, ObjectTx, ObjectRx, LetteredRx),
}


def shape_of(dtype: object, *, mirror: bool = False) -> Shape:
    """Return the shape of what `dtype=` asks for. Raises ConfigurationError."""
    if dtype is None:
        if mirror:
            message = "mirror=True is for lanes: say what their items are by dtype="
            raise ConfigurationError(message)
        return Shape()
    message = f"dtype {dtype!r}: there is no kind of channel for that"
    raise ConfigurationError(message)


def format_channel(mapping: Mapped, plan: Planned) -> None:
    """Make the file an empty channel of the planned kind."""
    store_type(plan).format(mapping, plan.capacity, plan.shape.itemsize)


def store_type(plan: Planned) -> type[Store]:
    """Return what opens the planned channel's file."""
    return _KINDS[plan.shape.kind].store


def open_store(mapping: Mapped, plan: Planned) -> Store:
    """Open the planned channel's file. Raises CorruptChannel when it is of another kind, or version."""
    return store_type(plan)(mapping, plan.name, plan.shape.dtype)


def open_end(  # noqa: PLR0913 - what an end has to know
    store: Store,
    plan: Planned,
    turn: Pace,
    cursor: Cursor,
    *,
    sends: bool,
    hand: Hand | None = None,
    mail: Mail | None = None,
) -> Any:  # noqa: ANN401 - by kind
    """Open one end of the planned channel, where the last commit stands.

    A receiving end says in `hand` what it reads; `mail` says what was put aside of its channel, and was ordered back.
    """
    kind = _KINDS[plan.shape.kind]
    if sends:
        return kind.tx(store, turn, cursor)
    if mail is not None and (mail.holes or mail.orders):
        return kind.lettered(store, turn, cursor, hand, mail)
    return kind.rx(store, turn, cursor, hand, mail)
