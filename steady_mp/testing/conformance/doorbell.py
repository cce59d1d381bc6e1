"""DoorbellConformance: what every kind of doorbell has to do, and whatever sleeps by it."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest

from steady_mp.parking import PollParker, Wake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steady_mp.parking import Parker

_MANY = 100_000
_ROUNDS = 1000
_SHORT = 0.02


class Bell(Protocol):
    """One end of a doorbell, for its owner (`fd`, `clear`) and for its ringers (`ring`)."""

    @property
    def fd(self) -> int:
        """Readable while there is a ring."""

    def ring(self) -> None:
        """Wake the owner. Never blocks."""

    def clear(self) -> None:
        """Forget the rings so far. Never blocks."""

    def close(self) -> None:
        """Close this end."""


class MakeDoorbell(Protocol):
    """What the fixture `make` of a suite has to give."""

    def __call__(self) -> Callable[[], Bell]:
        """Make a doorbell and return what opens an end of it: the owner's, a ringer's or a successor's."""


def is_rung(bell: Bell) -> bool:
    """Tell whether who sleeps by this bell would wake up."""
    return bool(select.select([bell.fd], [], [], 0)[0])


class DoorbellConformance:
    """The contract of a doorbell, as tests. Subclass it, and override the fixture `make`.

    Override `parker`, too, where owners sleep in another way than actors do.
    """

    @pytest.fixture
    def make(self) -> MakeDoorbell:
        """Return what makes a doorbell. What the tests open they close."""
        message = f"{type(self).__name__} must override the fixture `make`: what makes a doorbell and opens its ends"
        raise NotImplementedError(message)

    def parker(self, bell: Bell, lifeline: int) -> Parker:
        """Return what puts the owner of `bell` to sleep. `lifeline` is a descriptor that never is readable."""
        return PollParker(cast("Any", bell), lifeline, lambda: None)

    @contextmanager
    def parked(self, bell: Bell) -> Iterator[Parker]:
        """Lend a parker for `bell`."""
        out, held = os.pipe()
        try:
            yield self.parker(bell, out)
        finally:
            os.close(out)
            os.close(held)

    # The bell

    def test_a_ring_stays_until_it_is_cleared(self, make: MakeDoorbell) -> None:
        end = make()
        with closing(end()) as owner, closing(end()) as ringer:
            for _ in range(2):
                assert not is_rung(owner)
                ringer.ring()
                assert is_rung(owner)
                assert is_rung(owner)
                owner.clear()
            assert not is_rung(owner)

    def test_rings_add_up_to_one(self, make: MakeDoorbell) -> None:
        end = make()
        with closing(end()) as owner, closing(end()) as one, closing(end()) as other:
            for _ in range(10):
                one.ring()
                other.ring()
            owner.clear()
            assert not is_rung(owner)
            owner.clear()  # of nothing

    def test_nobody_waits_for_an_owner_that_never_looks(self, make: MakeDoorbell) -> None:
        end = make()
        with closing(end()) as owner, closing(end()) as ringer:
            for _ in range(_MANY):
                ringer.ring()
            assert is_rung(owner)
            owner.clear()
            assert not is_rung(owner)
            ringer.ring()
            assert is_rung(owner)

    def test_two_doorbells_are_two(self, make: MakeDoorbell) -> None:
        with closing(make()()) as one, closing(make()()) as other:
            one.ring()
            assert (is_rung(one), is_rung(other)) == (True, False)

    def test_a_ringer_that_goes_away_is_no_ring(self, make: MakeDoorbell) -> None:
        end = make()
        with closing(end()) as owner:
            end().close()
            assert not is_rung(owner)
            with closing(end()) as ringer:
                ringer.ring()
            assert is_rung(owner)

    def test_a_ring_for_the_dead_is_for_the_successor(self, make: MakeDoorbell) -> None:
        end = make()
        with closing(end()) as ringer:
            end().close()
            ringer.ring()
            with closing(end()) as successor:
                assert is_rung(successor)

    def test_a_process_that_its_owner_starts_does_not_hold_it(self, make: MakeDoorbell) -> None:
        with closing(make()()) as owner:
            assert not os.get_inheritable(owner.fd)

    # Sleeping by it

    def test_a_ring_before_the_sleep_ends_it_at_once_and_is_used_up(self, make: MakeDoorbell) -> None:
        with closing(make()()) as bell, self.parked(bell) as parker:
            bell.ring()
            bell.ring()
            assert parker.sleep(None, []) is Wake.RUNG
            assert parker.sleep(0.0, []) is Wake.TIMER

    def test_without_a_ring_the_time_passes(self, make: MakeDoorbell) -> None:
        with closing(make()()) as bell, self.parked(bell) as parker:
            began = time.monotonic()
            assert parker.sleep(_SHORT, []) is Wake.TIMER
            assert time.monotonic() - began >= _SHORT

    def test_a_descriptor_ends_the_sleep_and_is_watched_for_that_one_only(self, make: MakeDoorbell) -> None:
        out, held = os.pipe()
        try:
            with closing(make()()) as bell, self.parked(bell) as parker:
                os.write(held, b"x")
                assert parker.sleep(None, [out, out]) is Wake.RUNG
                assert parker.sleep(0.0, []) is Wake.TIMER
        finally:
            os.close(out)
            os.close(held)

    def test_a_descriptor_is_not_watched_on_when_a_handler_ends_the_sleep(self, make: MakeDoorbell) -> None:
        out, held = os.pipe()

        def handle(_number: int, _frame: object) -> None:
            raise InterruptedError

        before = signal.signal(signal.SIGALRM, handle)
        try:
            with closing(make()()) as bell, self.parked(bell) as parker:
                with pytest.raises(InterruptedError):  # noqa: PT012 - the alarm may go off at any moment
                    signal.setitimer(signal.ITIMER_REAL, _SHORT)
                    parker.sleep(None, [out])
                os.write(held, b"x")
                assert parker.sleep(0.0, []) is Wake.TIMER
        finally:
            signal.signal(signal.SIGALRM, before)
            os.close(out)
            os.close(held)

    def test_no_ring_is_lost_between_two_who_wake_each_other(self, make: MakeDoorbell) -> None:
        """Each says that it is its turn by a count, and then rings; who sleeps without a look would sleep for ever."""
        ends = [make(), make()]
        count = 0
        woken: set[Wake] = set()

        def play(me: int) -> None:
            nonlocal count
            with closing(ends[me]()) as mine, closing(ends[1 - me]()) as other, self.parked(mine) as parker:
                while count < _ROUNDS and Wake.SAFETY not in woken:
                    if count % 2 == me:
                        count += 1
                        other.ring()
                    else:
                        woken.add(parker.sleep(None, []))
                other.ring()

        with closing(ends[0]()), closing(ends[1]()):  # a ring must outlive whoever is the first to leave
            threads = [threading.Thread(target=play, args=(me,)) for me in (0, 1)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (count, woken) == (_ROUNDS, {Wake.RUNG})
