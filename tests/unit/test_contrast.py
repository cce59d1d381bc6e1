"""What came instead is shown beside what was expected."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from steady_mp.testing.contrast import contrast, show, show_all

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Order:
    number: int
    items: list[str] = field(default_factory=list)


def test_the_one_that_looks_most_like_it_is_shown() -> None:
    found = [Order(1, ["tea"]), Order(2, ["tea", "cake"]), Order(3, [])]
    told = contrast(Order(2, ["tea", "cup"]), found)
    assert "  - Order(number=2, items=['tea', 'cup'])" in told
    assert "  + Order(number=2, items=['tea', 'cake'])" in told


def test_a_value_of_many_lines_is_compared_line_by_line() -> None:
    long = dict.fromkeys("abcdef", "x" * 30)
    told = contrast(long, [long | {"c": "y" * 30}]).splitlines()
    assert [line for line in told if line.startswith("  -")] == [f"  -  'c': '{'x' * 30}',"]
    assert [line for line in told if line.startswith("  +")] == [f"  +  'c': '{'y' * 30}',"]
    assert f"     'b': '{'x' * 30}'," in told


def test_a_long_value_is_cut() -> None:
    assert show(1) == "1"
    assert show("x" * 5000) == "'" + "x" * 999 + "… (5002 characters)"


def test_of_many_values_the_latest_are_shown() -> None:
    assert show_all([1, "a"]) == "  0: 1\n  1: 'a'"
    lines = show_all(range(100)).splitlines()
    assert lines[0] == "  … 80 before"
    assert (lines[1], lines[-1], len(lines)) == ("  80: 80", "  99: 99", 21)


@pytest.mark.timeout(20)
def test_of_long_values_only_what_surrounds_the_first_difference_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is compared with each: of all lines of 100 kB of bytes that took hours."""
    compared: list[int] = []
    ndiff = difflib.ndiff

    def watched(one: list[str], other: list[str]) -> Iterator[str]:
        compared.extend((len(one), len(other)))
        return ndiff(one, other)

    monkeypatch.setattr(difflib, "ndiff", watched)
    contrast(list(range(10_000, 13_000)), [list(range(20_000, 23_000))])
    contrast(bytes([2]) * 100_000, [bytes([1]) * 100_000])
    told = contrast([*range(3000), "x", 1], [[*range(3000), "y", 1]]).splitlines()
    assert max(compared) <= 10
    assert told[0] == "  … 2998 lines the same"
    assert [line.strip(" -+") for line in told if line.startswith(("  - ", "  + "))] == ["'x',", "'y',"]


def test_what_is_left_of_a_long_value_is_counted() -> None:
    told = contrast([0, *range(1000)], [[1, *range(1000)]]).splitlines()
    assert told[-1] == "  … 991 lines more"


def test_of_two_that_look_the_same_it_is_said_why_they_are_not() -> None:
    told = contrast(ValueError("x"), [ValueError("y"), ValueError("x")]).splitlines()
    assert told == ["    ValueError('x')", "  looks the same and is not equal: ValueError has no __eq__"]
