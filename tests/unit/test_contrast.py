"""What came instead is shown beside what was expected."""

from __future__ import annotations

from dataclasses import dataclass, field

from steady_mp.testing.contrast import contrast, show, show_all


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
