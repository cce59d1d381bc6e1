"""The body of a snapshot of a flat state: what comes back, and what is equal byte by byte."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import flat
from steady_mp.errors import StateError
from steady_mp.standin import read_snapshot
from steady_mp.state import StateBook, decode


@dataclass
class Order:
    number: int
    name: str


text = st.text(st.characters(codec=None, exclude_categories=()))  # halves of pairs too
fields = st.lists(st.none() | st.booleans() | st.integers() | st.floats() | text | st.binary(), min_size=1).map(tuple)


def snapshot() -> bytes:
    book = StateBook()
    book.acquire(0, lambda: Order(5, "five"))
    data = book.encode()
    assert data is not None
    return data


@given(fields, st.integers(200, 5000))
def test_fields_come_back_as_they_were(values: tuple[object, ...], bits: int) -> None:
    values = (*values, 1 << bits, -1 << bits)
    (back,) = flat.load(flat.dump(values))
    assert repr(back) == repr(values)
    assert [type(value) for value in back] == [type(value) for value in values]


@given(fields)
def test_what_is_equal_is_so_byte_by_byte_whoever_else_holds_it(values: tuple[object, ...]) -> None:
    held = flat.dump(values)
    (back,) = flat.load(held)
    assert flat.dump(back) == held
    assert flat.dump(back + values) == flat.dump(values + values)


def test_a_flat_state_that_was_pickled_is_read() -> None:
    heading, _, _ = snapshot().partition(b"\n")
    older = heading + b"\n" + pickle.dumps([(5, "five")])
    assert decode(older) == {0: Order(5, "five")}
    assert read_snapshot(older) == {0: {"number": 5, "name": "five"}}


def test_one_that_was_cut_short_is_an_error() -> None:
    whole = snapshot()
    for size in range(len(whole)):
        for read in (decode, read_snapshot):
            with pytest.raises(StateError):
                read(whole[:size])
