from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.fizzbuzz import FizzBuzz, Value, Word, fizzbuzz


def test_the_first_sixteen() -> None:
    assert [str(fizzbuzz(n)) for n in range(16)] == [
        "FizzBuzz",
        "Value(1)",
        "Value(2)",
        "Fizz",
        "Value(4)",
        "Buzz",
        "Fizz",
        "Value(7)",
        "Value(8)",
        "Fizz",
        "Buzz",
        "Value(11)",
        "Fizz",
        "Value(13)",
        "Value(14)",
        "FizzBuzz",
    ]


@given(st.integers(min_value=0))
def test_a_word_says_what_divides_and_a_value_is_the_number(n: int) -> None:
    spoken = ("Fizz" if n % 3 == 0 else "") + ("Buzz" if n % 5 == 0 else "")
    assert str(fizzbuzz(n)) == (spoken or f"Value({n})")


@pytest.mark.parametrize("message", [*Word, Value(0), Value(2**70)])
def test_a_message_arrives_as_what_it_was(message: FizzBuzz) -> None:
    arrived = pickle.loads(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))  # noqa: S301 - made in this line
    assert arrived == message
    assert type(arrived) is type(message)
