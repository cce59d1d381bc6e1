"""States as plain data, for the report: anything must come out of it, and JSON must be able to say it."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp.state import plain


class Colour(Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Inner:
    items: list[Any] = field(default_factory=list)


class Thing:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Loud:
    __slots__ = ()

    def __repr__(self) -> str:
        message = "no repr"
        raise RuntimeError(message)


def shown(value: object) -> Any:
    """Return the plain form after a journey through strict JSON."""
    return json.loads(json.dumps(plain(value), allow_nan=False))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (0.5, 0.5),
        ("text", "text"),
        ([1, (2, [3])], [1, [2, [3]]]),
        ({"a": 1, 2: (3,)}, {"a": 1, "2": [3]}),
        (OrderedDict(a=1), {"a": 1}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (Point(1, 2), [1, 2]),
        (Inner([Inner()]), {"items": [{"items": []}]}),
        pytest.param(Thing(a=Thing(b=1)), {"a": {"b": 1}}, id="nested"),
        (Colour.RED, "red"),
        (Colour.PAIR, [1, 2]),
        (Level.LOW, 1),
        pytest.param(Thing(phase=Colour.RED), {"phase": "red"}, id="enum inside"),
        (b"bytes", "b'bytes'"),
        (deque([1]), "deque([1])"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (Path("/a"), repr(Path("/a"))),
        (dt.date(2024, 1, 2), "datetime.date(2024, 1, 2)"),
        (int, "<class 'int'>"),
        (Inner, repr(Inner)),
        (len, "<built-in function len>"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
    ids=repr,
)
def test_a_value_becomes_what_a_person_expects(value: object, expected: object) -> None:
    assert shown(value) == expected


def test_sets_become_lists() -> None:
    assert sorted(shown({1, 2})) == [1, 2]
    assert shown(frozenset({3})) == [3]


def test_what_contains_itself_is_cut_where_it_begins_again() -> None:
    inner = Inner()
    inner.items.append(inner)
    assert shown(inner) == {"items": ["…"]}
    loop: list[Any] = [1]
    loop.append(loop)
    assert shown(loop) == [1, "…"]


def test_the_same_part_twice_is_no_circle() -> None:
    part = Inner([1])
    assert shown([part, part]) == [{"items": [1]}, {"items": [1]}]


def test_what_is_too_deep_or_has_no_repr_still_gives_a_report() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert isinstance(shown(deep), str)
    assert "Loud" in shown(Loud())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.sampled_from(Colour),
        lambda part: (
            st.lists(part) | st.dictionaries(st.text() | st.integers(), part) | st.builds(Inner, st.lists(part))
        ),
    )
)
def test_json_can_say_all_of_it(value: object) -> None:
    shown(value)


def test_a_number_that_python_does_not_write_is_said_in_hexadecimal() -> None:
    huge = 1 << 20_000
    assert shown([huge, -huge, 1 << 5000]) == [hex(huge), hex(-huge), 1 << 5000]
    assert shown({"a": {huge}}) == {"a": [hex(huge)]}
    assert shown({huge: 1}) == {"a int without a repr": 1}
    assert shown({Loud(): 1}) == {"a Loud without a repr": 1}
