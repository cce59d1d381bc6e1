"""What the worker sends for a number, in eight bytes: 3, 5 or 15 for a word, and itself for all others.

None of these is ever a number that stays itself, so the logger can tell them apart.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FIZZ = 3
BUZZ = 5
FIZZBUZZ = 15

#: Items at a time: what is made of them on the way stays in the processor's cache.
_PIECE = 1 << 13

Numbers = NDArray[np.uint64]
#: Bytes of an item of the lanes between them.
DTYPE = "Q"


def encode(numbers: Numbers, codes: NDArray[Any]) -> None:
    """Write the code of each of `numbers` into `codes`."""
    for start in range(0, len(numbers), _PIECE):
        stop = start + _PIECE
        _encode_piece(numbers[start:stop], codes[start:stop])


def _encode_piece(numbers: Numbers, codes: NDArray[Any]) -> None:
    np.copyto(codes, numbers)
    if (numbers[1:] - numbers[:-1] == 1).all():  # in a row: every third one, every fifth one, no division at all
        first = int(numbers[0])
        for divisor in (FIZZ, BUZZ, FIZZBUZZ):
            codes[-first % divisor :: divisor] = divisor
    else:
        for divisor in (FIZZ, BUZZ, FIZZBUZZ):
            codes[numbers % np.uint64(divisor) == 0] = divisor


def count(codes: Numbers, code: int) -> int:
    """Count one code."""
    return sum(int(np.count_nonzero(codes[at : at + _PIECE] == code)) for at in range(0, len(codes), _PIECE))
