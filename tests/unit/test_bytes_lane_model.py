"""A bytes lane against a deque: any interleaving of what its two ends, their commits and their deaths can do."""

from __future__ import annotations

import itertools
from collections import deque

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from steady_mp import SendOutcome
from steady_mp.memory import layout
from steady_mp.memory.layout import PAGE
from steady_mp.testing.rig import Overslept
from tests.support.bytes_lane import Lane

LARGEST = PAGE // 2 - layout.RECORD.size

sizes = st.one_of(st.integers(0, 90), st.integers(0, LARGEST), st.sampled_from([0, LARGEST]))
waits = st.lists(sizes, max_size=10)


class LaneModel(RuleBasedStateMachine):
    """`staged` was sent and not committed, `committed` can be taken, `taken` still takes room."""

    @initialize(capacity=st.sampled_from([1, 2, 3, 16, 5000]), pages=st.sampled_from([1, 2, 16]), grouped=st.booleans())
    def begin(self, capacity: int, pages: int, *, grouped: bool) -> None:
        self.lane = Lane(capacity=capacity, ring_bytes=pages * PAGE, grouped=grouped)
        self.staged: deque[bytes] = deque()
        self.committed: deque[bytes] = deque()
        self.taken: list[bytes] = []
        self.sent = 0
        self.views: list[tuple[int, memoryview, bytes]] = []
        self.numbers = itertools.count()

    def value(self, size: int) -> bytes:
        return bytes((next(self.numbers) + n) & 255 for n in range(size))

    def note(self, value: bytes) -> None:
        self.staged.append(value)
        self.sent += 1

    def follow(self) -> None:
        """Follow a turn that had to be torn, because the channel was full of its own messages."""
        for _ in range(self.lane.rig.words(0)[layout.TAIL] - (self.sent - len(self.staged))):
            self.committed.append(self.staged.popleft())

    @rule(size=sizes)
    def try_send(self, size: int) -> None:
        value = self.value(size)
        if self.lane.tx.try_send(value) is SendOutcome.SENT:
            self.note(value)
        else:
            assert self.staged or self.committed or self.taken, "an empty lane refused a message that fits it"

    @rule(size=sizes)
    def send(self, size: int) -> None:
        value = self.value(size)
        try:
            self.lane.tx.send(value)
        except Overslept:
            assert self.lane.tx.position() == self.sent
        else:
            self.note(value)
        self.follow()

    @rule(sizes=waits)
    def send_slice(self, sizes: list[int]) -> None:
        batch = [self.value(size) for size in sizes]
        try:
            self.lane.tx.send_slice(batch)
        except Overslept:
            batch = batch[: self.lane.tx.position() - self.sent]
        for value in batch:
            self.note(value)
        self.follow()

    @rule(size=sizes, less=st.integers(0, 50), send=st.booleans())
    def poke(self, size: int, less: int, *, send: bool) -> None:
        view = self.lane.tx.try_poke(size)
        if view is None:
            assert self.staged or self.committed or self.taken
            return
        value = self.value(size)
        view[:] = value
        if send:
            kept = max(0, size - less)
            self.lane.tx.advance_send(size=kept)
            self.note(value[:kept])

    @rule()
    def commit_source(self) -> None:
        self.lane.source.turn.commit()
        self.committed.extend(self.staged)
        self.staged.clear()

    @precondition(lambda self: self.committed)
    @rule(verb=st.sampled_from(["take", "try_take", "advance_take"]))
    def take(self, verb: str) -> None:
        got = getattr(self.lane.rx, verb)()
        assert got == (None if verb == "advance_take" else self.committed[0])
        self.taken.append(self.committed.popleft())

    @rule(count=st.integers(-1, 20))
    def take_slice(self, count: int) -> None:
        expected = [self.committed.popleft() for _ in range(min(count, len(self.committed)))]
        assert self.lane.rx.take_slice(count) == expected
        self.taken += expected

    @precondition(lambda self: self.committed)
    @rule()
    def peek(self) -> None:
        view = self.lane.rx.peek()
        assert view == self.committed[0]
        self.views.append((self.lane.rx.position(), view, self.committed[0]))

    @rule(count=st.integers(-1, 20))
    def peek_slice(self, count: int) -> None:
        assert self.lane.rx.peek_slice(count) == list(self.committed)[: max(0, count)]
        assert self.lane.rx.try_peek() == (self.committed[0] if self.committed else None)

    @rule()
    def commit_sink(self) -> None:
        self.lane.sink.turn.commit()
        self.taken.clear()
        for position, view, _ in self.views:
            if position < self.lane.rx.position():
                with pytest.raises(ValueError, match="released"):
                    bytes(view)
        self.views = [held for held in self.views if held[0] >= self.lane.rx.position()]

    @precondition(lambda self: not self.views)
    @rule(side=st.sampled_from(["source", "sink"]))
    def die(self, side: str) -> None:
        """Begin the next life of an actor: what it had staged never was."""
        getattr(self.lane, side).begin()
        if side == "source":
            self.sent -= len(self.staged)
            self.staged.clear()
        else:
            self.committed.extendleft(reversed(self.taken))
            self.taken.clear()

    @invariant()
    def views_show_their_messages(self) -> None:
        for _, view, value in self.views:
            assert view == value

    @invariant()
    def both_ends_count_the_same(self) -> None:
        lane = self.lane
        assert lane.tx.position() == self.sent
        assert lane.tx.vacant() == lane.tx.capacity - len(self.staged) - len(self.committed) - len(self.taken)
        words = lane.rig.words(0)
        assert 0 <= words[layout.TAIL] - words[layout.HEAD] <= lane.tx.capacity
        assert 0 <= words[layout.TAIL_POS] - words[layout.HEAD_POS] <= words[layout.CH_RING_BYTES]
        assert 0 <= lane.tx.statistics().bytes_in_flight <= words[layout.CH_RING_BYTES]


TestLaneModel = LaneModel.TestCase
