"""Reading what was pickled without the classes: everything is shown, and nothing of the user's is run."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import pickle
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from steady_mp.errors import StateError
from steady_mp.standin import StandIn, bounded, plain, read_snapshot, unpickle
from steady_mp.state import StateBook

ran: list[str] = []


class Color(Enum):
    RED = 1


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - as people have them


@dataclass
class Order:
    id: int
    items: list[str] = field(default_factory=list)
    price: decimal.Decimal = decimal.Decimal("1.50")

    def __setstate__(self, state: dict[str, Any]) -> None:
        ran.append("setstate")
        self.__dict__.update(state)


class Slotted:
    __slots__ = ("place",)

    def __init__(self) -> None:
        self.place = 7


class Basket(list[int]):
    pass


class Index(dict[str, int]):
    pass


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return ran.append, ("bomb",)


class Exit:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("ran.append('exec')",)


def back(value: object) -> Any:
    ran.clear()
    found = unpickle(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    assert not ran
    return found


@pytest.mark.parametrize(
    "value",
    [
        None,
        -3,
        1 << 100,
        2.5,
        "text",
        b"bytes",
        [1, (2, 3)],
        {"a": {4}, 5: frozenset({6})},
        dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        decimal.Decimal("0.1"),
        Path("/tmp/x"),  # noqa: S108 - a name
        deque([1, 2]),
        Counter("aab"),
        OrderedDict(a=1),
        defaultdict(list, a=[1]),
    ],
    ids=repr,
)
def test_what_is_known_everywhere_comes_back_as_it_is(value: object) -> None:
    assert back(value) == value
    assert type(back(value)) is type(value)


def test_classes_of_the_user_become_stand_ins() -> None:
    order = back(Order(3, ["tea"]))
    assert isinstance(order, StandIn)
    assert plain(order) == {"id": 3, "items": ["tea"], "price": "Decimal('1.50')"}
    assert repr(order) == "Order(id=3, items=['tea'], price=Decimal('1.50'))"
    assert plain(back(Slotted())) == {"place": 7}
    assert repr(back(Color.RED)) == "Color(1)"
    assert repr(back(Pair(1, 2))) == "Pair(1, 2)"
    assert repr(back(Basket([1, 2]))) == "Basket([1, 2])"
    assert repr(back(Index(a=1))) == "Index({'a': 1})"
    assert plain(back({"who": {Color.RED}})) == {"who": ["Color(1)"]}


def test_what_a_pickle_would_run_is_shown_and_not_run() -> None:
    assert repr(back(Exit())) == "exec(\"ran.append('exec')\")"
    # A bound method is pickled as getattr(object, name), which is no harmless function either.
    assert repr(back(Bomb())) == "result(getattr([], 'append'), 'bomb')"
    assert not ran


def test_circles_end() -> None:
    order = Order(1)
    order.items.append(order)  # type: ignore[arg-type]
    found = back(order)
    assert repr(found).count("Order(") == 1
    assert plain(found)["items"] == ["…"]
    ring: list[object] = []
    ring.append(ring)
    assert plain(back(ring)) == ["…"]


def test_a_snapshot_of_flat_and_of_nested_states() -> None:
    book = StateBook()
    book.acquire(0, lambda: Order(1, ["tea"]))
    book.acquire(2, lambda: {"n": float("nan")})
    snapshot = book.encode()
    assert snapshot is not None
    ran.clear()
    assert read_snapshot(snapshot) == {
        0: {"id": 1, "items": ["tea"], "price": "Decimal('1.50')"},
        2: {"n": "nan"},
    }
    flat = StateBook()
    flat.acquire(0, lambda: Flat(1, "x"))
    snapshot = flat.encode()
    assert snapshot is not None
    assert read_snapshot(snapshot) == {0: {"count": 1, "name": "x"}}
    assert not ran


@dataclass
class Flat:
    count: int
    name: str


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x05", b"no pickle", b"[]\n", b"{}\n\x80\x05K\x01.", b"[1]\n\x80\x05]K\x01a."]
)
def test_what_cant_be_read_is_one_error(data: bytes) -> None:
    with pytest.raises(StateError):
        read_snapshot(data)


def test_a_repr_is_bounded_and_on_one_line() -> None:
    assert bounded("a\x1b[2J\nb", 100) == "'a\\x1b[2J\\nb'"
    assert len(bounded("x" * 10_000, 50)) == 50
    assert len(bounded([Order(n, ["y" * 1000]) for n in range(1000)], 200)) == 200
    assert bounded(back(Order(1, [])), 80) == "Order(id=1, items=[], price=Decimal('1.50'))"


def test_a_number_that_python_does_not_write_is_shown_in_another_way() -> None:
    huge = 1 << 20_000
    for value in (huge, [huge], {"a": huge}, {huge: 1}, {huge, -huge}, {(huge, 1)}, Order(huge), complex(1), -huge):
        shown = bounded(value, 300)
        assert len(shown) <= 300
        found = back(value)
        assert "0x1000" in bounded(found, 300) or value == complex(1)
        assert "0x1000" in json.dumps(plain(found)) or value == complex(1)
    assert plain(-huge) == hex(-huge)
    assert plain(1 << 5000) == 1 << 5000
    assert bounded(10**200, 100) == "1" + "0" * 47 + "..." + "0" * 48


def test_what_can_not_be_encoded_is_written_as_an_escape() -> None:
    assert bounded("\ud800", 100) == r"'\ud800'"


class Zone(dt.tzinfo):
    """A zone that no command imports, as those of zoneinfo are."""

    def utcoffset(self, _: dt.datetime | None) -> None:
        """Be asked by whoever hashes a moment."""

    dst = tzname = utcoffset


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (dt.datetime(2026, 1, 2, 3, tzinfo=Zone()), "datetime(datetime.datetime(2026, 1, 2, 3, 0), Zone())"),
        (dt.time(2, 3, tzinfo=Zone()), "time(datetime.time(2, 3), Zone())"),
    ],
    ids=["datetime", "time"],
)
def test_a_moment_of_a_zone_that_is_not_imported_is_shown(moment: object, text: str) -> None:
    found = back({"at": moment, "other": 7, moment: 8})
    assert found["other"] == 7
    assert bounded(found, 300).count(text) == 2
    assert json.dumps(plain(found)).count(text) == 2


def test_a_path_that_was_pickled_by_python_3_13_is_one() -> None:
    assert unpickle(b"cpathlib._local\nPosixPath\n(V/tmp/x\ntR.") == Path("/tmp/x")  # noqa: S108 - a name
