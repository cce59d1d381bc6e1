"""The message that the worker sends to the logger: a word, or the number itself."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias


class Word(Enum):
    """What is said in the place of a number."""

    FIZZBUZZ = "FizzBuzz"
    FIZZ = "Fizz"
    BUZZ = "Buzz"

    def __str__(self) -> str:
        return self.value


class Value(NamedTuple):
    """A number that stays what it is. A tuple, because pickle writes and reads tuples fastest."""

    n: int

    def __str__(self) -> str:
        return f"Value({self.n})"


FizzBuzz: TypeAlias = Word | Value


def fizzbuzz(n: int) -> FizzBuzz:
    """FizzBuzz for what 15 divides (0 too), Fizz for 3, Buzz for 5, and the number for all others."""
    match n % 3, n % 5:
        case 0, 0:
            return Word.FIZZBUZZ
        case 0, _:
            return Word.FIZZ
        case _, 0:
            return Word.BUZZ
        case _:
            return Value(n)
