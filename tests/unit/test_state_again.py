"""When a state that is flat is saved again: whenever the snapshot that was kept says anything else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from steady_mp.state import StateBook, decode


@dataclass
class Counter:
    value: int = 0


@dataclass
class Other:
    value: int = 0


@pytest.mark.parametrize(("before", "after"), [(1, True), (0.0, -0.0), (1, 1.0)])
def test_what_is_equal_to_the_last_snapshot_and_another_thing_is_saved(before: object, after: object) -> None:
    book = StateBook()
    counter = book.acquire(0, Counter)
    assert isinstance(counter, Counter)
    counter.value = before  # type: ignore[assignment]
    for _ in range(2):  # the first in full, the second by the short way
        book.kept = book.encode() or book.kept
    assert book.encode() is None
    counter.value = after  # type: ignore[assignment]
    snapshot = book.encode()
    assert snapshot is not None
    assert repr(decode(snapshot)[0]) == repr(counter)


def test_a_snapshot_that_was_not_written_is_made_again() -> None:
    book = StateBook()
    counter = book.acquire(0, Counter)
    assert isinstance(counter, Counter)
    for number in range(3):
        counter.value = number
        refused = book.encode()
        assert refused is not None
        assert book.encode() == refused  # nobody has kept the first one
        book.kept = refused
        assert book.encode() is None


@pytest.mark.parametrize("kept", [True, False])
def test_a_state_of_another_class_with_the_same_fields_is_saved_though_it_was_refused_once(*, kept: bool) -> None:
    book = StateBook()
    counter = book.acquire(0, Counter)
    assert isinstance(counter, Counter)
    for _ in range(2):  # the first in full, the second by the short way
        data = book.encode()
        book.kept = data if kept and data is not None else book.kept
    book.values[0] = Other(counter.value)
    refused = book.encode()
    assert refused is not None
    assert decode(refused) == {0: Other(counter.value)}
    assert book.encode() == refused  # nobody has kept it
