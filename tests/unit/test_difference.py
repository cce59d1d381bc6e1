"""What a failed comparison says: where it begins, with what is around it, and what is missing or too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytest

from steady_mp.testing.difference import difference, same


class Array:
    """Compares as arrays of numpy do: element by element."""

    def __init__(self, *parts: int) -> None:
        self.parts = parts

    def __eq__(self, other: object) -> Array:  # type: ignore[override]
        assert isinstance(other, Array)
        return Array(*(a == b for a, b in zip(self.parts, other.parts, strict=True)))

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        message = "the truth of an array is ambiguous"
        raise ValueError(message)

    def all(self) -> bool:
        return all(self.parts)

    def __repr__(self) -> str:
        return f"Array{self.parts}"


@pytest.mark.parametrize("values", [[], [1, [2], "x"], [float("nan")]])
def test_the_same_has_no_difference(values: list[object]) -> None:
    assert difference(values, list(values)) is None


def test_the_first_difference_is_shown_with_what_is_around_it() -> None:
    sent = [*range(7), 77, *range(8, 20)]
    told = difference(range(20), sent, 100)
    assert told is not None
    assert told.splitlines() == [
        "message 107 differs (20 expected, 20 sent: 1 missing, 1 extra)",
        "    … 4 the same",
        "       104  4",
        "       105  5",
        "       106  6",
        "  -    107  7",
        "  +    107  77",
        "       108  8",
        "       109  9",
        "       110  10",
        "       111  11",
        "    … 8 more",
    ]


def test_a_lost_message_is_one_although_all_behind_it_have_moved() -> None:
    told = difference(list(range(10)), [*range(4), *range(5, 10)])
    assert told is not None
    assert told.startswith("message 4 differs (10 expected, 9 sent: 1 missing, 0 extra)\n")


@pytest.mark.parametrize(
    ("expected", "sent", "told"),
    [
        (
            ["a", "b"],
            ["a"],
            "message 1 differs (2 expected, 1 sent: 1 missing, 0 extra)\n         0  'a'\n  -      1  'b'",
        ),
        (
            ["a"],
            ["a", "b"],
            "message 1 differs (1 expected, 2 sent: 0 missing, 1 extra)\n         0  'a'\n  +      1  'b'",
        ),
        ([], [None], "message 0 differs (0 expected, 1 sent: 0 missing, 1 extra)\n  +      0  None"),
        (
            [1, 2],
            [2, 1],
            (
                "message 0 differs (2 expected, 2 sent: the same in another order)\n"
                "  -      0  1\n  +      0  2\n  -      1  2\n  +      1  1"
            ),
        ),
    ],
)
def test_what_is_missing_or_too_much_is_marked(expected: list[object], sent: list[object], told: str) -> None:
    assert difference(expected, sent) == told


def test_of_a_long_message_the_place_that_differs_is_shown() -> None:
    told = difference(["x" * 500 + "a" + "y" * 500], ["x" * 500 + "b" + "y" * 500])
    assert told is not None
    _, wanted, found = told.splitlines()
    assert wanted == "  -      0  …" + "x" * 50 + "a" + "y" * 49 + "…"
    assert found == wanted.replace("a", "b").replace("-", "+")
    assert max(map(len, told.splitlines())) < 120


def test_arrays_are_compared_as_a_whole() -> None:
    assert difference([Array(1, 2)], [Array(1, 2)]) is None
    told = difference([Array(1, 2)], [Array(1, 3)])
    assert told == (
        "message 0 differs (1 expected, 1 sent: 1 missing, 1 extra)\n  -      0  Array(1, 2)\n  +      0  Array(1, 3)"
    )


class Pair(NamedTuple):
    name: str
    values: object


@dataclass
class Sample:
    name: str
    values: object


@dataclass
class Ticket:
    """Says itself what makes it equal."""

    number: int
    pixels: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ticket) and self.number == other.number

    __hash__ = None  # type: ignore[assignment]


@dataclass(eq=False)
class Labelled(Sample):
    """Is compared as a sample is."""

    label: str


ONES = np.ones(3)


def ragged(*last: int) -> np.ndarray:
    """Return an array of arrays, each of which has its own length."""
    rows = np.empty(2, dtype=object)
    rows[:] = [np.array([1, 2]), np.array(last)]
    return rows


def table(*rows: tuple[int, float], names: tuple[str, str] = ("a", "b")) -> np.ndarray:
    return np.array(list(rows), dtype=[(names[0], "i4"), (names[1], "f8")])


def masked(values: Any, hidden: Any) -> np.ndarray:
    return np.ma.array(values, mask=hidden)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (np.ones(3), np.ones(1)),
        (np.ones(3), np.ones((2, 3))),
        (np.ones((1, 1)), np.ones(1)),
        (np.ones(3), np.ones(2)),
        (np.ones(0), np.ones(1)),
        (np.ones(3), np.zeros(3)),
        (1, np.ones(5)),
        (np.ones(1), 1.0),
        (5.0, np.ones(0)),
        ([1.0, 1.0, 1.0], np.ones(3)),
        (np.ones(3), None),
        ("x", np.ones(3)),
        (("x", np.ones(3)), ("x", np.ones(1))),
        (("x", np.ones(3)), ("x", np.zeros(3))),
        (("x", np.ones(3)), ("y", np.ones(3))),
        (("x", np.ones(3)), ["x", np.ones(3)]),
        ([np.ones(1)], [np.ones(1), np.ones(1)]),
        ({"a": np.ones(3)}, {"a": np.ones(1)}),
        ({"a": np.ones(3)}, {"b": np.ones(3)}),
        (Pair("x", np.ones(3)), Pair("x", np.zeros(3))),
        (Sample("x", np.ones(3)), Sample("x", np.zeros(3))),
        (Sample("x", np.ones(3)), Sample("x", np.ones(2))),
        (Sample("x", np.ones(3)), Pair("x", np.ones(3))),
        (Sample("x", np.array([5])), Sample("x", np.array([[5]]))),
        (Sample("x", np.array([5])), Sample("x", 5)),
        (Sample("x", [np.array([5])]), Sample("x", [np.array([[5]])])),
        (ragged(3), ragged(4)),
        (ragged(3), ragged(3, 3)),
        (ragged(3), np.ones(2)),
        (masked([1, 2], [0, 1]), np.array([1, 2])),
        (masked([1, 2], [0, 1]), masked([1, 2], [1, 0])),
        (masked([1, 2], [0, 1]), masked([3, 2], [0, 1])),
        (np.ma.masked, 0.0),
        (table((1, 2.0)), table((1, 3.0))),
        (table((1, 2.0)), table((1, 2.0), names=("a", "c"))),
        (table((1, 2.0)), np.ones(1)),
        (table((1, 2.0)), [(1, 2.0)]),
        (table((1, 2.0))[0], table((1, 2.0))),
        (table((1, 2.0))[0], table((1, 2.0), names=("a", "c"))[0]),
        (table((1, 2.0))[0], (1, 3.0)),
        (table((1, 2.0))[0], None),
    ],
)
def test_arrays_of_another_shape_or_with_other_items_differ(wanted: object, found: object) -> None:
    assert not same(wanted, found)
    assert not same(found, wanted)
    assert difference([wanted], [found]) is not None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (np.ones((2, 3)), np.ones((2, 3))),
        (np.ones(0), np.ones(0)),
        (np.array(2), np.array(2)),
        (5.0, np.float64(5.0)),
        (b"ab", memoryview(b"ab")),
        (("x", ONES, [1]), ("x", ONES.copy(), [1])),
        ([[np.ones(1)], (np.ones(0),)], [[np.ones(1)], (np.ones(0),)]),
        ({"a": (1, np.ones(3))}, {"a": (1, np.ones(3))}),
        (Pair("x", np.ones(3)), Pair("x", np.ones(3))),
        (Sample("x", np.ones(3)), Sample("x", np.ones(3))),
        (Sample("x", [ONES]), Sample("x", [ONES.copy()])),
        (Ticket(1, np.ones(3)), Ticket(1, np.ones(2))),
        (Labelled("x", ONES, "a"), Labelled("x", ONES.copy(), "b")),
        (ragged(3), ragged(3)),
        (np.array([1, None], dtype=object), np.array([1, None], dtype=object)),
        (masked([1, 2], [1, 1]), masked([1, 2], [1, 1])),
        (masked([1, 2], [0, 1]), masked([1, 3], [0, 1])),
        (masked([1, 2], [0, 0]), np.array([1, 2])),
        (np.ma.array(5), 5),
        (table((1, 2.0), (3, 4.0)), table((1, 2.0), (3, 4.0))),
        (masked(table((1, 2.0)), [(0, 1)]), masked(table((1, 3.0)), [(0, 1)])),
        ((1, 2.0), table((1, 2.0))[0]),
        (table((1, 2.0))[0], table((1, 2.0))[0]),
        (np.void(b"ab"), np.void(b"ab")),
        (mock.ANY, np.ones(3)),
        (mock.ANY, table((1, 2.0))),
        (pytest.approx(np.ones(3)), np.ones(3) + 1e-9),
        ((1, pytest.approx(0.3)), (1, 0.1 + 0.2)),
    ],
)
def test_the_same_is_the_same_in_whatever_it_comes(wanted: object, found: object) -> None:
    assert same(wanted, found)
    assert difference([wanted], [found]) is None


def test_an_error_of_a_comparison_that_has_nothing_to_do_with_arrays_is_raised() -> None:
    class Incomparable:
        def __eq__(self, other: object) -> bool:
            message = "not today"
            raise ValueError(message)

        __hash__ = None  # type: ignore[assignment]

    with pytest.raises(ValueError, match="not today"):
        same(Incomparable(), Incomparable())


class Odd:
    """Has no `__eq__`."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"Odd({self.number})"


class Shy:
    """Looks like an `Odd`."""

    def __repr__(self) -> str:
        return "Odd(1)"


UNSEEN = "there is a nan in it, or what has no __eq__, or what its repr does not show"


@pytest.mark.parametrize(
    ("expected", "sent", "told"),
    [
        ([Odd(1)], [Odd(1)], "Odd has no __eq__ (1 expected, 1 sent)"),
        ([Odd(1), Odd(2)], [Odd(1)], "Odd has no __eq__ (2 expected, 1 sent: 1 missing, 0 extra)"),
        ([ValueError("x")], [ValueError("x")], "ValueError has no __eq__ (1 expected, 1 sent)"),
        ([[Odd(1)]], [[Odd(1)]], f"{UNSEEN} (1 expected, 1 sent)"),
        ([float("nan")], [float("nan")], f"{UNSEEN} (1 expected, 1 sent)"),
        ([np.arange(5000)], [np.where(np.arange(5000) == 9, 0, np.arange(5000))], f"{UNSEEN} (1 expected, 1 sent)"),
        ([Odd(1)], [Shy()], f"one is a {__name__}.Odd, the other a {__name__}.Shy (1 expected, 1 sent)"),
    ],
)
def test_what_only_looks_the_same_is_in_no_other_order(expected: list[object], sent: list[object], told: str) -> None:
    found = difference(expected, sent)
    assert found is not None
    assert found.splitlines()[0] == f"message 0 looks the same and is not equal: {told}"
