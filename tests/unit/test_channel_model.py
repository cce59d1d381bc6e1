"""A channel against a deque: any interleaving of what its two ends and their commits can do."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from steady_mp import SendOutcome
from steady_mp.memory import layout
from steady_mp.memory.layout import PAGE
from steady_mp.testing.rig import Overslept, pair
from tests.unit import values

if TYPE_CHECKING:
    from steady_mp.channel.receiver import ObjectRx
    from steady_mp.channel.sender import ObjectTx

capacities = st.one_of(st.integers(1, 4), st.sampled_from([16, 64, 5000]))
counts = st.one_of(st.integers(-1, 6), st.just(10_000))


class ChannelModel(RuleBasedStateMachine):
    """`staged` was sent and not committed, `committed` can be taken, `taken` still takes room."""

    @initialize(capacity=capacities, pages=st.sampled_from([1, 2, 16]), grouped=st.booleans())
    def begin(self, capacity: int, pages: int, *, grouped: bool) -> None:
        self.rig, self.source, self.sink, self.channel = pair(
            capacity=capacity, ring_bytes=pages * PAGE, grouped=grouped
        )
        self.staged: deque[Any] = deque()
        self.committed: deque[Any] = deque()
        self.taken: list[Any] = []
        self.sent = 0

    @property
    def tx(self) -> ObjectTx[Any]:
        return self.source.tx(self.channel)

    @property
    def rx(self) -> ObjectRx[Any]:
        return self.sink.rx(self.channel)

    def room(self) -> int:
        return self.tx.capacity - len(self.staged) - len(self.committed) - len(self.taken)

    def note(self, value: Any) -> None:
        self.staged.append(value)
        self.sent += 1

    # The producer

    @rule(value=values.mixed)
    def try_send(self, value: Any) -> None:
        outcome = self.tx.try_send(value)
        if outcome is SendOutcome.SENT:
            assert self.room() > 0
            self.note(value)
        elif not self.staged and not self.committed and not self.taken:
            raise AssertionError("an empty channel refused a message that fits it")

    @rule(value=values.mixed)
    def send(self, value: Any) -> None:
        """It may have to wait; nobody comes to help, and so it must not have sent then."""
        had_room = self.room() > 0
        try:
            self.tx.send(value)
        except Overslept:
            assert self.tx.position() == self.sent
            assert self.committed or self.taken or self.staged
        else:
            assert had_room
            self.note(value)
        self.follow_an_early_commit()

    @rule(several=st.lists(values.small, max_size=12))
    def send_slice(self, several: list[Any]) -> None:
        try:
            self.tx.send_slice(several)
        except Overslept:
            done = self.tx.position() - self.sent
            assert 0 <= done < len(several)
            several = several[:done]
        for value in several:
            self.note(value)
        self.follow_an_early_commit()

    def follow_an_early_commit(self) -> None:
        """Follow a turn that had to be torn, because the channel was full of its own messages."""
        committed = self.rig.words(self.channel)[layout.TAIL] - (self.sent - len(self.staged))
        for _ in range(committed):
            self.committed.append(self.staged.popleft())

    @rule()
    def commit_source(self) -> None:
        self.source.turn.commit()
        self.committed.extend(self.staged)
        self.staged.clear()

    # The consumer

    @precondition(lambda self: self.committed)
    @rule(verb=st.sampled_from(["take", "try_take"]))
    def take(self, verb: str) -> None:
        expected = self.committed.popleft()
        assert values.told_apart([getattr(self.rx, verb)()]) == values.told_apart([expected])
        self.taken.append(expected)

    @precondition(lambda self: not self.committed)
    @rule()
    def try_take_nothing(self) -> None:
        assert self.rx.try_take() is None

    @rule(count=counts)
    def take_slice(self, count: int) -> None:
        expected = [self.committed.popleft() for _ in range(min(count, len(self.committed)))]
        assert values.told_apart(self.rx.take_slice(count)) == values.told_apart(expected)
        self.taken.extend(expected)

    @rule(count=counts)
    def peek_slice(self, count: int) -> None:
        expected = list(self.committed)[: max(0, count)]
        assert values.told_apart(self.rx.peek_slice(count)) == values.told_apart(expected)

    @rule()
    def try_peek(self) -> None:
        expected = self.committed[0] if self.committed else None
        assert values.told_apart([self.rx.try_peek()]) == values.told_apart([expected])

    @rule()
    def commit_sink(self) -> None:
        self.sink.turn.commit()
        self.taken.clear()

    # What always holds

    @invariant()
    def both_ends_count_the_same(self) -> None:
        assert self.tx.position() == self.sent
        assert self.tx.vacant() == self.room()
        assert self.rx.avail() == len(self.committed)
        assert self.rx.is_empty() == (not self.committed)
        assert self.tx.is_full() == (self.room() == 0)

    @invariant()
    def neither_bound_is_exceeded(self) -> None:
        words = self.rig.words(self.channel)
        assert 0 <= words[layout.TAIL] - words[layout.HEAD] <= self.tx.capacity
        assert 0 <= words[layout.TAIL_POS] - words[layout.HEAD_POS] <= words[layout.CH_RING_BYTES]
        assert 0 <= self.tx.statistics().bytes_in_flight <= words[layout.CH_RING_BYTES]


TestChannelModel = ChannelModel.TestCase
