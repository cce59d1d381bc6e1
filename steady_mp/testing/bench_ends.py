"""What a test holds in its hands at the other ends of the channels of an actor on a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from steady_mp.channel.bundle import RxBundle, TxBundle
from steady_mp.channel.endpoints import SendOutcome
from steady_mp.errors import SteadyError
from steady_mp.testing.difference import difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from steady_mp.channel.endpoints import Rx, Tx
    from steady_mp.testing.bench_side import TestSide

T = TypeVar("T")
L = TypeVar("L")


class BenchInput(Generic[T]):
    """What the test feeds the actor through one channel. Hand `end` to the behavior."""

    def __init__(self, side: TestSide, index: int, end: Rx[T]) -> None:
        """Belong to a bench; `Bench.input` makes it."""
        #: The receiving end, as the actor's argument.
        self.end = end
        self._side = side
        self._index = index

    def send_all(self, values: Iterable[T], *, close: bool = False) -> None:
        """Send all of `values`, and close the channel behind them if asked to.

        Raises SteadyError when the channel has no room for them, by number or by bytes, and whatever `Tx.send`
        raises for one of them. Nothing was sent then.
        """
        tx: Tx[T] = self._side.tx(self._index)
        batch = list(values)
        if len(batch) > tx.vacant():
            message = (
                f"{len(batch)} messages for room for {tx.vacant()}: give the input a larger capacity, or run between"
            )
            raise SteadyError(message)
        try:
            for number, value in enumerate(batch, 1):
                self._send(tx, value, f"{number} of {len(batch)}")
            if close:
                tx.mark_closed()
            self._side.commit()
        except BaseException:
            self._side.open()  # where the last commit stands: what was staged is undone
            raise

    def _send(self, tx: Tx[T], value: T, which: str) -> None:
        outcome = tx.try_send(value)
        if outcome is SendOutcome.FULL:
            size = tx.statistics().ring_bytes
            message = (
                f"message {which}: the ring of {tx.name}, {size} bytes, has too few of them free: "
                "give the input larger ring_bytes, or run between"
            )
            raise SteadyError(message)
        if outcome is SendOutcome.CLOSED:
            tx.send(value)  # says who has closed it

    def close(self) -> None:
        """Close the channel: no message will come any more."""
        self.send_all((), close=True)

    def left(self) -> int:
        """Messages that the actor has not taken yet, as committed.

        Raises ConfigurationError while there is no actor on the bench, as all that a test does with an end.
        """
        tx = self._side.tx(self._index)
        return tx.capacity - tx.vacant()


class BenchOutput(Generic[T]):
    """What the actor sends the test through one channel. Hand `end` to the behavior."""

    def __init__(self, side: TestSide, index: int, end: Tx[T]) -> None:
        """Belong to a bench; `Bench.output` makes it."""
        #: The sending end, as the actor's argument.
        self.end = end
        self._side = side
        self._index = index

    def avail(self) -> int:
        """Messages that the actor has committed and the test has not taken yet."""
        return self._side.rx(self._index).avail()

    def take_all(self) -> list[T]:
        """Take all that the actor has committed."""
        return self._take(self.avail())

    def _take(self, count: int) -> list[T]:
        rx: Rx[T] = self._side.rx(self._index)
        values = rx.take_slice(count)
        self._side.commit()
        return values

    def assert_all(self, expected: Iterable[T]) -> None:
        """Take all that the actor has committed; it must be exactly what is `expected`."""
        self._compare(list(expected), self.avail())

    def assert_prefix(self, expected: Iterable[T]) -> None:
        """Take as many messages as are `expected`; they must be these. What comes behind them stays there."""
        wanted = list(expected)
        self._compare(wanted, len(wanted))

    def _compare(self, expected: Sequence[T], count: int) -> None:
        __tracebackhide__ = True
        rx = self._side.rx(self._index)
        first, name = rx.position(), rx.name
        told = difference(expected, self._take(count), first)
        if told is not None:
            message = f"{name}: {told}"
            raise AssertionError(message)

    def is_closed(self) -> bool:
        """Tell whether the actor has closed the channel and all of it was taken."""
        return self._side.rx(self._index).is_closed_and_empty()


class _Lanes(Generic[L]):
    """The test's ends of a bundle, by index."""

    def __init__(self, lanes: Sequence[L]) -> None:
        self._lanes = tuple(lanes)

    def __len__(self) -> int:
        """Return the number of lanes."""
        return len(self._lanes)

    def __getitem__(self, index: int) -> L:
        """Return one lane."""
        return self._lanes[index]

    def __iter__(self) -> Iterator[L]:
        """Go through the lanes in order."""
        return iter(self._lanes)


class BenchInputBundle(_Lanes[BenchInput[T]], Generic[T]):
    """The inputs of a bundle, lane by lane. Hand `end` to the behavior."""

    def __init__(self, lanes: Sequence[BenchInput[T]]) -> None:
        """Belong to a bench; `Bench.input_bundle` makes it."""
        super().__init__(lanes)
        #: The receiving ends, as one argument of the actor.
        self.end: RxBundle[T] = RxBundle([lane.end for lane in lanes])

    def close(self) -> None:
        """Close all lanes."""
        for lane in self:
            lane.close()


class BenchOutputBundle(_Lanes[BenchOutput[T]], Generic[T]):
    """The outputs of a bundle, lane by lane. Hand `end` to the behavior."""

    def __init__(self, lanes: Sequence[BenchOutput[T]]) -> None:
        """Belong to a bench; `Bench.output_bundle` makes it."""
        super().__init__(lanes)
        #: The sending ends, as one argument of the actor.
        self.end: TxBundle[T] = TxBundle([lane.end for lane in lanes])

    def take_all(self) -> list[list[T]]:
        """Take all that the actor has committed, lane by lane."""
        return [lane.take_all() for lane in self]
