"""What an actor has in hand: the messages that it has read since its last commit, as a death leaves them behind.

An actor stores, for each end that it receives at, how far its reading has come. It does so when it takes the slow way
through `take`: in a group of turns that is before some dozens of messages, so that a death there leaves a range; in the
turns behind a death (`Hand.until`) it is before each message, so that the next death leaves the very one.

Nothing has to be cleared. A stamp, made of counters that every end of a turn moves, says in which turn it was stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.memory.control import ControlBlock


class Held(NamedTuple):
    """Messages of one end that were in hand: `first` to `last` were read together, last of all that end read.

    Those from `head`, the committed one, were read in the same turn or group of turns. `reach` is behind all that
    may have been unpickled, taken or not. A dead letter that is replayed has `layout.LETTER` added to its position.
    """

    end: int
    head: int
    first: int
    last: int
    reach: int


class Hand:
    """The words of one receiving end; only its actor writes them while it lives."""

    __slots__ = ("_at", "_first", "_mark", "_reach", "_stop", "_words")

    def __init__(self, words: memoryview | None = None, endpoints: int = 1, end: int = 0) -> None:
        """Use the words of a control block; none for an end that nobody looks at."""
        self._words = words if words is not None else Mapping(None, layout.control_bytes(endpoints)).words
        self._at = at = layout.hand_word(endpoints, end)  # of the stamp
        self._first, self._stop, self._reach = at + layout.HAND_FIRST, at + layout.HAND_STOP, at + layout.HAND_REACH
        self._mark = end + 1

    def hold(self, first: int, stop: int) -> None:
        """Say that the messages from `first` up to `stop` may be read before the next call."""
        words = self._words
        words[self._first] = first
        words[self._stop] = stop
        words[layout.HAND_END] = self._mark
        words[self._at] = words[layout.EPOCH] + words[layout.TURNS] + 1

    def reach(self, stop: int) -> None:
        """Say that the messages up to `stop` are about to be unpickled."""
        self._words[self._reach] = stop

    @property
    def kept(self) -> tuple[int, int, int, int]:
        """All that `hold` stores, to be put back."""
        words, at = self._words, self._at
        return words[layout.HAND_END], words[at], words[self._first], words[self._stop]

    @kept.setter
    def kept(self, values: tuple[int, int, int, int]) -> None:
        words, at = self._words, self._at
        words[layout.HAND_END], words[at], words[self._first], words[self._stop] = values

    @property
    def until(self) -> int:
        """Below this number each message is to be told by itself: a life has died somewhere before it."""
        return self._words[self._at + layout.HAND_UNTIL]


def held(control: ControlBlock) -> list[Held]:
    """Return what was in hand at each end of an actor that does not run, the end that was read last first.

    Empty where nothing was taken or looked at since the last commit. Ask before `recover` or the next life.
    """
    words = control.words
    stamp = words[layout.EPOCH] + words[layout.TURNS] + 1
    found = []
    for end, cursor in enumerate(control.journal().cursors):
        at = layout.hand_word(control.endpoints, end)
        stop = words[at + layout.HAND_STOP]
        if words[at + layout.HAND_STAMP] == stamp and stop > cursor.messages:
            first = max(cursor.messages, min(words[at + layout.HAND_FIRST], stop - 1))
            head = cursor.messages if stop < layout.LETTER else first
            found.append(Held(end, head, first, stop - 1, max(stop, words[at + layout.HAND_REACH])))
    return sorted(found, key=lambda each: each.end + 1 != words[layout.HAND_END])


def unsettled(control: ControlBlock) -> list[Held]:
    """Return what may have had to do with a death: what was in hand, and what was only unpickled already.

    A life behind a death says itself what it unpickles; there nothing has to be guessed.
    """
    found = held(control)
    known = {each.end for each in found}
    for end, cursor in enumerate(control.journal().cursors):
        reach = control.words[layout.hand_word(control.endpoints, end) + layout.HAND_REACH]
        until = control.words[layout.hand_word(control.endpoints, end) + layout.HAND_UNTIL]
        if end not in known and reach > cursor.messages >= until:
            found.append(Held(end, cursor.messages, cursor.messages, reach - 1, reach))
    return found


def let_go(control: ControlBlock, heads: Sequence[int]) -> None:
    """Empty the hands of a life that is over, and have the next one tell each message by itself up to there.

    Repeating it changes nothing. Only for an actor that provably does not run.
    """
    words = control.words
    for end, head in enumerate(heads):
        at = layout.hand_word(control.endpoints, end)
        stop = words[at + layout.HAND_STOP]
        stop = max(words[at + layout.HAND_REACH], stop if stop < layout.LETTER else 0)
        if stop > head:
            words[at + layout.HAND_UNTIL] = max(stop, words[at + layout.HAND_UNTIL])
        for word in (layout.HAND_STAMP, layout.HAND_FIRST, layout.HAND_STOP, layout.HAND_REACH):
            words[at + word] = 0
