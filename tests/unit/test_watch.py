"""What a test waits with: events and log lines, each returned once, and bounded waits."""

from __future__ import annotations

import io
import math
import threading
import time

import pytest

from steady_mp import ConfigurationError, Event
from steady_mp.events import ActorDied, ActorFinished, ActorStarted, RunStopped
from steady_mp.testing.lines import Lines
from steady_mp.testing.watch import Watch


def started(actor: str, generation: int = 1) -> ActorStarted:
    return ActorStarted(actor=actor, generation=generation, pid=1, commit=0)


def anything(_event: Event) -> bool:
    return True


STOPPED = RunStopped(clean=True, exit_code=0, seconds=1.0)


def test_an_event_is_returned_once_whatever_the_order() -> None:
    watch = Watch()
    for event in (started("a"), started("b"), started("a", 2)):
        watch(event)
    assert watch.wait_for(ActorStarted, actor="b") == started("b")
    assert watch.wait_for(ActorStarted, actor="a") == started("a")
    assert watch.wait_for(ActorStarted) == started("a", 2)
    assert watch.find(ActorStarted, seconds=0.0) is None
    assert watch.all_of(ActorStarted) == [started("a"), started("b"), started("a", 2)]


def test_an_event_that_comes_later_is_waited_for() -> None:
    watch = Watch()
    later = threading.Thread(target=lambda: list(map(watch, map(started, "abc"))))
    later.start()
    assert watch.wait_for(ActorStarted, seconds=50.0, actor="c") == started("c")
    later.join()


def test_a_wait_may_last_for_ever() -> None:
    watch, lines = Watch(), Lines()
    watch(started("a"))

    def tell() -> None:
        watch(started("b"))
        lines.write("said\n")

    later = threading.Thread(target=tell)

    def is_second(event: Event) -> bool:
        if event == started("a"):
            later.start()  # it waits for the wait
        return event == started("b")

    assert watch.first(is_second, math.inf) == started("b")
    assert lines.wait_for("said", math.inf) == "said"
    later.join()


def test_one_of_several_kinds_can_be_waited_for() -> None:
    watch = Watch()
    watch(started("a"))
    watch(ActorFinished(actor="a", generation=1))
    kinds: tuple[type[ActorDied | ActorFinished], ...] = (ActorDied, ActorFinished)
    assert watch.find(kinds, actor="a") == ActorFinished(actor="a", generation=1)


def test_a_look_need_not_claim() -> None:
    watch = Watch()
    watch(started("a"))
    assert watch.first(anything, 0.0, claim=False) == started("a")
    assert watch.first(anything, 0.0) == started("a")
    assert watch.first(anything, 0.0) is None


def test_nothing_is_waited_for_behind_the_end() -> None:
    watch = Watch()
    watch(started("a"))
    watch(STOPPED)
    with pytest.raises(AssertionError) as caught:
        watch.wait_for(ActorDied, seconds=50.0, actor="a")
    assert str(caught.value) == (
        "ActorDied(actor='a'): none until the run ended; what happened:\n"
        "  ActorStarted: a starts life 1 as process 1 from commit 0\n"
        "  RunStopped: drained after 1.0 s, exit code 0"
    )


def test_a_long_story_is_cut() -> None:
    watch = Watch()
    assert watch.story() == "  nothing"
    for number in range(40):
        watch(started("a", number))
    assert watch.story(2).splitlines() == [
        "  … 38 earlier events",
        "  ActorStarted: a starts life 38 as process 1 from commit 0",
        "  ActorStarted: a starts life 39 as process 1 from commit 0",
    ]


def test_a_field_that_no_such_event_has_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="ActorFinished has no field 'actr': there are actor, generation"):
        Watch().wait_for(ActorFinished, seconds=50.0, actr="a")


# Lines


def test_a_line_is_returned_once_whatever_the_order() -> None:
    lines = Lines()
    lines.write("one two\nthree\n")
    lines.write("two\n")
    assert lines.wait_for("three") == "three"
    assert lines.wait_for("two") == "one two"
    assert lines.wait_for("two") == "two"
    assert lines.find("two", seconds=0.0) is None
    assert lines.all() == ["one two", "three", "two"]


def test_a_line_that_comes_later_is_waited_for() -> None:
    lines = Lines()
    later = threading.Thread(target=lambda: [lines.write(f"{number}\n") for number in range(100)])
    later.start()
    assert lines.wait_for("99", seconds=50.0) == "99"
    later.join()


def test_who_waits_in_vain_is_shown_the_latest_lines() -> None:
    lines = Lines()
    lines.write("one\ntwo\n")
    with pytest.raises(AssertionError, match=r"^no line with 'three' within 0 s in:\n  one\n  two$"):
        lines.wait_for("three", seconds=0.0)
    assert lines.tail(1) == "  … 1 earlier lines\n  two"


def test_where_no_line_can_come_none_is_waited_for() -> None:
    lines = Lines()
    began = time.monotonic()
    assert lines.find("any", 50.0, lambda: True) is None
    assert time.monotonic() - began < 10.0
    lines.write("last\n")
    assert lines.find("last", 50.0, lambda: True) == "last"


def test_only_the_latest_lines_are_kept() -> None:
    lines = Lines(most=3)
    for number in range(10):
        lines.write(f"{number}\n")
    assert lines.all() == ["7", "8", "9"]
    assert lines.count == 10
    assert lines.since(8) == ["8", "9"]
    assert lines.find("2", 0.0) is None
    assert [lines.find("", 0.0) for _ in range(4)] == ["7", "8", "9", None]


def test_a_copy_is_written_somewhere_else() -> None:
    copy = io.StringIO()
    lines = Lines(copy=copy)
    assert lines.write("one\ntwo\n") == 8
    lines.flush()
    assert copy.getvalue() == "one\ntwo\n"
