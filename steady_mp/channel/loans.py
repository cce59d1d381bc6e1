"""Loans: the views of slots that an end has handed out, and their end when the slots change hands.

A view is released by the commit that gives its slots to the peer, so using it afterwards raises ValueError.
What was made from it can't be taken back: a slice of it, or a numpy array. While such a thing is alive the
commit is refused, because it would come to show other messages, or to change those that were sent.

To find that out, each view has an exporter of its own: a slice of the ring, whose exports Python counts. A
slice of a slice would share its parent's exporter and go unseen, hence the `PickleBuffer` between them.
"""

from __future__ import annotations

import weakref
from pickle import PickleBuffer
from typing import Final, NamedTuple

from steady_mp.errors import ViewInUse

#: Views that may be kept in mind before those are looked for that nobody has any more.
_MANY: Final = 16


class _Loan(NamedTuple):
    first: int
    exporter: memoryview
    view: weakref.ref[memoryview]


class Loans:
    """The views that one end of a lane has handed out."""

    __slots__ = ("_loans", "_prune_at")

    def __init__(self) -> None:
        """Begin with none."""
        self._loans: list[_Loan] = []
        self._prune_at = _MANY

    def lend(self, part: memoryview, first: int) -> memoryview:
        """Return a view of `part`, a slice of the ring that nobody else has; its first message is number `first`."""
        view = memoryview(PickleBuffer(part))
        self._loans.append(_Loan(first, part, weakref.ref(view)))
        if len(self._loans) > self._prune_at:
            self._prune()
        return view

    def collect(self, before: int, channel: str) -> None:
        """Release all views that show a message before number `before`. Raises ViewInUse, and can be repeated."""
        loans = self._loans
        if not loans:
            return
        for loan in loans:
            if loan.first < before and not _ended(loan):
                message = (
                    f"channel {channel!r}: an array or a slice of a view is alive at the commit that gives its slots "
                    "away: let it end with the function that uses it, del it before the turn ends, or keep a copy"
                )
                raise ViewInUse(message)
        self._loans = [loan for loan in loans if loan.first >= before]

    def _prune(self) -> None:
        """Forget the views that are gone."""
        self._loans = [loan for loan in self._loans if loan.view() is not None or not _ended(loan)]
        self._prune_at = max(_MANY, 2 * len(self._loans))


def _ended(loan: _Loan) -> bool:
    """Release a view; tell whether nothing is left that was made from it."""
    view = loan.view()
    try:
        if view is not None:
            view.release()
        loan.exporter.release()
    except BufferError:
        return False
    return True
