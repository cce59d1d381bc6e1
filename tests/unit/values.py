"""Messages of all kinds and sizes, as hypothesis draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.support.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGE = 3000  # with what is around it still less than the smallest ring

#: What is staged as it is and pickled as one batch, and what is close to the limits of that.
atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**30, -(2**30), 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**200]),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.sampled_from(["", "a" * 256, "a" * 257, "\U0001f980" * 256, "\ud800", b"", b"b" * 256, b"b" * 257]),
)

#: Short messages, mixed: batches and records of their own.
small = st.one_of(
    atoms,
    st.lists(atoms, max_size=3),
    st.tuples(atoms, atoms),
    st.dictionaries(st.text(max_size=4), atoms, max_size=3),
    st.binary(max_size=9).map(bytearray),
    st.binary(max_size=9).map(lambda data: Frame("f", data)),
)

#: The same, and some that fill the smallest ring nearly alone.
mixed = st.one_of(
    small,
    small,
    st.integers(0, _LARGE).map(bytes),
    st.integers(0, _LARGE).map("x".__mul__),
    st.integers(0, _LARGE).map(bytearray),
    st.lists(st.integers(0, _LARGE // 3).map(bytearray), max_size=3).map(lambda parts: [Frame("f", p) for p in parts]),
)


def told_apart(values: Iterable[object]) -> list[tuple[type, object]]:
    """Add the types, because 1 == True == 1.0."""
    return [(type(value), value) for value in values]
