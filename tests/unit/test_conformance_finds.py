"""The conformance suites find what is wrong: each of these faults fails at least one of their tests."""

from __future__ import annotations

import dataclasses
import itertools
import os
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import life, parking
from steady_mp.channel import publish
from steady_mp.channel.bundle import LaneCondition
from steady_mp.channel.encoding import Encoder
from steady_mp.channel.receiver import ObjectRx
from steady_mp.channel.sender import ObjectTx
from steady_mp.channel.waits import Avail, Empty
from steady_mp.memory import layout
from steady_mp.memory.doorbell import Doorbell
from steady_mp.testing.conformance import ChannelConformance, DoorbellConformance, Link
from steady_mp.turn import Turn
from tests.unit.test_conformance import TestMixed as MixedSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from steady_mp.memory.control import Cursor, CursorWords

Patch = pytest.MonkeyPatch


def cases(suite: object) -> Iterator[tuple[str, Callable[..., None], dict[str, Any]]]:
    """Go through the tests of a suite, each with all values of its parameters."""
    for name in dir(suite):
        if name.startswith("test_"):
            test = getattr(suite, name)
            axes = []
            for mark in getattr(test, "pytestmark", ()):
                names = [each.strip() for each in mark.args[0].split(",")]
                values = mark.args[1]
                axes.append([dict(zip(names, each if len(names) > 1 else (each,), strict=True)) for each in values])
            for chosen in itertools.product(*axes):
                yield name, test, {key: value for each in chosen for key, value in each.items()}


def first_failure(suite: object, make: object) -> str | None:
    """Return the name of the first test that fails; None when all pass."""
    for name, test, arguments in cases(suite):
        try:
            test(make=make, **arguments)
        except pytest.skip.Exception:
            continue
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if outgrown(error):
                raise
            return name  # whatever a fault does, a test of the suite shows it
    return None


def outgrown(error: BaseException) -> bool:
    """Tell whether a fault of this file no longer fits what it is put into: that is no fault found."""
    if not isinstance(error, TypeError | AttributeError | NameError):
        return False
    return traceback.extract_tb(error.__traceback__)[-1].filename == __file__


# Faults of channels


def wrap(patch: Patch, place: type, name: str, change: Callable[..., Any]) -> None:
    """Replace a method by ``change(original, self, …)``."""
    original = getattr(place, name)
    patch.setattr(place, name, lambda self, *args, **more: change(original, self, *args, **more))


def shown_when_sent(patch: Patch) -> None:
    def show(original: Any, self: Any, *args: Any) -> None:
        original(self, *args)
        self._flush()
        self._words[layout.TAIL] = self._sent

    wrap(patch, ObjectTx, "_stage", show)


def freed_when_taken(patch: Patch) -> None:
    def free(original: Any, self: Any) -> Any:
        value = original(self)
        self._words[layout.HEAD] = self.position()
        return value

    wrap(patch, ObjectRx, "take", free)


def closed_at_once(patch: Patch) -> None:
    def close(original: Any, self: Any) -> None:
        original(self)
        self._words[layout.TX_CLOSED] = 1

    wrap(patch, ObjectTx, "mark_closed", close)


def one_too_many(patch: Patch) -> None:
    wrap(
        patch, ObjectTx, "_fits", lambda original, self, need: original(self, need) or self.position() - self._head == 2
    )


def bytes_not_counted(patch: Patch) -> None:
    wrap(patch, ObjectTx, "_fits", lambda original, self, _need: original(self, 0))


def kept_by_reference(patch: Patch) -> None:
    patch.setattr(Encoder, "encode", lambda _self, _value: (None, 80))
    wrap(
        patch, ObjectTx, "_admit", lambda _original, self, _kind: self._open_batch(object) if not self._atoms else None
    )


def peeking_takes(patch: Patch) -> None:
    patch.setattr(ObjectRx, "try_peek", ObjectRx.try_take)


def slices_backwards(patch: Patch) -> None:
    wrap(patch, ObjectRx, "take_slice", lambda original, self, count: original(self, count)[::-1])


def numbers_of_this_life_only(patch: Patch) -> None:
    begun: dict[int, int] = {}
    position = ObjectRx.position

    def begin(original: Any, self: Any, ring: Any, turn: Any, cursor: Cursor, *rest: Any) -> None:
        original(self, ring, turn, cursor, *rest)
        begun[id(self)] = cursor.messages

    wrap(patch, ObjectRx, "__init__", begin)
    patch.setattr(ObjectRx, "position", lambda self: position(self) - begun.get(id(self), 0))


def a_part_of_a_record_is_the_whole(patch: Patch) -> None:
    def freeze(original: Any, self: Any) -> CursorWords:
        taken, _, closed = original(self)
        return taken, self._read_position, closed

    wrap(patch, ObjectRx, "freeze", freeze)


def recovered_without_publishing(patch: Patch) -> None:
    patch.setattr(life, "recover", lambda control, _channels, _reach: control.journal())


def published_before_the_journal(patch: Patch) -> None:
    def freeze(original: Any, self: Any) -> Cursor:
        cursor: Cursor = original(self)
        publish.publish_tx(self._words, cursor)
        return cursor

    wrap(patch, ObjectTx, "freeze", freeze)


def closing_forgotten(patch: Patch) -> None:
    wrap(patch, ObjectTx, "freeze", lambda original, self: (*original(self)[:2], 0))


def nobody_is_gone(patch: Patch) -> None:
    patch.setattr(ObjectTx, "is_peer_gone", lambda _self: False)


def waits_torn(patch: Patch) -> None:
    patch.setattr(Turn, "_must_tear", lambda _self, _end: True)


def statistics_of_the_commit_only(patch: Patch) -> None:
    def older(original: Any, self: Any) -> Any:
        return dataclasses.replace(original(self), sent=self._committed[0])

    wrap(patch, ObjectTx, "statistics", older)


def rung_at_the_first_one(patch: Patch) -> None:
    wrap(patch, ObjectRx, "arm", lambda original, self, _target: original(self, self._words[layout.TAIL] + 1))


def the_first_lane_first(patch: Patch) -> None:
    def lane(original: Any, self: Any) -> Any:
        self._next = 0
        return original(self)

    wrap(patch, LaneCondition, "lane", lane)


def closed_for_good(patch: Patch) -> None:
    closed_at_once(patch)
    recovered_without_publishing(patch)


def a_negative_slice_is_all(patch: Patch) -> None:
    wrap(patch, ObjectRx, "take_slice", lambda original, self, count: original(self, abs(count)))


def waits_for_more_than_there_can_be(patch: Patch) -> None:
    def begin(original: Any, self: Any, end: Any, count: int) -> None:
        original(self, end, count)
        self.count = count

    wrap(patch, Avail, "__init__", begin)


CHANNEL_FAULTS: dict[str, Callable[[Patch], object]] = {
    fault.__name__: fault
    for fault in (
        *(shown_when_sent, freed_when_taken, closed_at_once, one_too_many, bytes_not_counted, kept_by_reference),
        *(peeking_takes, slices_backwards, numbers_of_this_life_only, a_part_of_a_record_is_the_whole),
        *(recovered_without_publishing, published_before_the_journal, closing_forgotten, nobody_is_gone, waits_torn),
        *(statistics_of_the_commit_only, rung_at_the_first_one, the_first_lane_first),
        *(closed_for_good, a_negative_slice_is_all, waits_for_more_than_there_can_be),
    )
} | {
    "a consumer is never rung": lambda patch: patch.setattr(ObjectTx, "wants_ring", lambda _self: False),
    "a consumer is always rung": lambda patch: patch.setattr(ObjectTx, "wants_ring", lambda _self: True),
    "a producer is never rung": lambda patch: patch.setattr(ObjectRx, "wants_ring", lambda _self: False),
    "a producer is always rung": lambda patch: patch.setattr(ObjectRx, "wants_ring", lambda _self: True),
    "who is awake still asks": lambda patch: patch.setattr(ObjectRx, "disarm", lambda _self: None),
    "rung one too late": lambda patch: wrap(patch, ObjectRx, "arm", lambda original, self, n: original(self, n + 1)),
    "empty before the commit": lambda patch: patch.setattr(
        Empty, "holds", lambda self: self.tx._words[layout.HEAD] == self.tx._words[layout.TAIL]
    ),
    "a closed end waits": lambda patch: patch.setattr(ObjectTx, "is_closed", lambda _self: False),
}


def test_without_a_fault_nothing_is_found() -> None:
    assert first_failure(MixedSuite(), Link) is None


@pytest.mark.parametrize("fault", CHANNEL_FAULTS.values(), ids=CHANNEL_FAULTS)
def test_a_fault_of_a_channel_is_found(fault: Callable[[Patch], object], monkeypatch: Patch) -> None:
    fault(monkeypatch)
    assert first_failure(MixedSuite(), Link) is not None


def test_a_fault_that_no_longer_fits_is_no_fault_found(monkeypatch: Patch) -> None:
    wrap(monkeypatch, ObjectRx, "__init__", lambda original, self: original(self))
    with pytest.raises(TypeError, match="takes 2 positional arguments"):
        first_failure(MixedSuite(), Link)


# Faults of doorbells


class Deaf(Doorbell):
    def ring(self) -> None:
        """Wake nobody."""


class Sticky(Doorbell):
    def clear(self) -> None:
        """Forget nothing."""


class OneByOne(Doorbell):
    def clear(self) -> None:
        os.read(self.fd, 1)


class Inherited(Doorbell):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        os.set_inheritable(self.fd, True)  # noqa: FBT003 - its only parameter


class Forgetful(Doorbell):
    """What was rung before it was opened is lost."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.clear()


class Reading(Doorbell):
    """An owner that can't write sees an end of file when its ringers go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.close(self.fd)
        self.fd = reading

    def ring(self) -> None:
        fd = os.open(f"/proc/self/fd/{self.fd}", os.O_WRONLY | os.O_NONBLOCK)
        os.write(fd, b"\0")
        os.close(fd)


class Overflowing(Doorbell):
    def ring(self) -> None:
        os.write(self.fd, b"\0")


class Fifo(DoorbellConformance):
    pass


@pytest.mark.parametrize("kind", [Deaf, Sticky, OneByOne, Inherited, Forgetful, Reading, Overflowing])
def test_a_fault_of_a_doorbell_is_found(kind: type[Doorbell], tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(parking, "SAFETY", 0.2)  # what only it would end need not take so long here
    numbers = itertools.count()

    def make() -> Callable[[], Doorbell]:
        path = tmp_path / str(next(numbers))
        Doorbell.create(path)
        return lambda: kind(path)

    assert first_failure(Fifo(), make) is not None


# What a suite says of itself


def test_a_suite_without_its_hooks_says_which() -> None:
    suite = ChannelConformance()
    with pytest.raises(NotImplementedError, match="ChannelConformance must override `values`"):
        suite.values(1)


def test_what_a_kind_cant_do_is_skipped() -> None:
    class Plain(ChannelConformance):
        def values(self, count: int) -> list[Any]:
            return list(range(count))

    skipped = set()
    for name, test, arguments in cases(Plain()):
        try:
            test(make=Link, **arguments)
        except pytest.skip.Exception as reason:
            skipped.add((name, str(reason)))
    assert skipped == {
        ("test_a_message_is_a_value_as_of_the_call", "this kind of channel carries nothing that can be changed"),
        ("test_a_send_waits_for_room_in_bytes", "this kind of channel carries values of one size"),
        ("test_it_holds_its_bytes_and_not_one_more", "this kind of channel carries values of one size"),
        (
            "test_what_cant_be_carried_is_refused_and_stages_nothing",
            "this kind of channel refuses no value for what it is",
        ),
        ("test_what_is_too_large_is_refused_and_stages_nothing", "this kind of channel carries values of one size"),
    }
