"""What the worker sends for a number, in one byte: 3, 5 or 15 for a word, and 0 for a number that stays itself.

Work is done a piece at a time, so that what is made on the way stays in the processor's cache.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NUMBER: Final = 0
FIZZ: Final = 3
BUZZ: Final = 5
FIZZBUZZ: Final = 15

#: Items at a time: few enough for the cache, and so many that the calls don't count.
PIECE: Final = 1 << 15

Numbers = NDArray[np.uint64]
Codes = NDArray[np.uint8]
#: What an item of the lane of numbers is, and one of the lane of codes.
NUMBERS: Final = "Q"
CODES: Final = "B"

#: The codes of 0 to 14; they repeat.
_PERIOD: Final[Codes] = np.zeros(FIZZBUZZ, np.uint8)
_PERIOD[::FIZZ] = FIZZ
_PERIOD[::BUZZ] = BUZZ
_PERIOD[0] = FIZZBUZZ
#: The codes of any numbers in a row, from the right place on.
_ROW: Final[Codes] = np.resize(_PERIOD, PIECE + FIZZBUZZ)


def encode(numbers: Numbers, codes: Codes) -> None:
    """Write the code of each of `numbers` into `codes`."""
    steps = np.empty(PIECE, np.uint64)
    for start in range(0, len(numbers), PIECE):
        piece = numbers[start : start + PIECE]
        _encode_piece(piece, codes[start : start + PIECE], steps[: len(piece) - 1])


def _encode_piece(numbers: Numbers, codes: Codes, steps: NDArray[Any]) -> None:
    first, last = int(numbers[0]), int(numbers[-1])
    np.subtract(numbers[1:], numbers[:-1], out=steps)
    # As many steps as it takes, and none above 1: each of them is 1.
    if last - first == len(steps) and steps.max(initial=0) <= 1:
        codes[:] = _ROW[first % FIZZBUZZ :][: len(codes)]
    else:
        codes[:] = _PERIOD[numbers % np.uint64(FIZZBUZZ)]


def count(codes: Codes, code: int) -> int:
    """Count one code."""
    return sum(int(np.count_nonzero(codes[at : at + PIECE] == code)) for at in range(0, len(codes), PIECE))
