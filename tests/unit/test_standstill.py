"""Whether all wait for what one of them holds back, told by their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp.memory import layout
from steady_mp.plan import ActorPlan, ChannelPlan, EndPlan, Plan
from steady_mp.standstill import Standstill

if TYPE_CHECKING:
    from collections.abc import Callable

#: Two workers between one who deals and one who collects. The first worker has taken a job and waits for room.
ME, DEAL, COLLECT, OTHER = range(4)
#: Its channels, and those of the other worker.
JOBS, RESULTS, JOBS_THERE, RESULTS_THERE = range(4)
WAYS = [(DEAL, ME), (ME, COLLECT), (DEAL, OTHER), (OTHER, COLLECT)]


def plan() -> Plan:
    """Return the plan of the pool."""
    ends = [
        tuple(EndPlan(channel=channel, sends=actor == way[0]) for channel, way in enumerate(WAYS) if actor in way)
        for actor in range(4)
    ]
    return Plan(
        graph="pool",
        log_level=0,
        path=(),
        modules=(),
        actors=tuple(ActorPlan(name=f"actor {n}", behavior="", ends=its) for n, its in enumerate(ends)),
        channels=tuple(
            ChannelPlan(name=f"way {n}", capacity=4, ring_bytes=4096, producer=producer, consumer=consumer)
            for n, (producer, consumer) in enumerate(WAYS)
        ),
    )


class Pool:
    """The collector sleeps for the other worker, that one for a job, and who deals for room in the jobs held here."""

    def __init__(self) -> None:
        self.looks = 0
        self.between: Callable[[], None] | None = None
        self.controls = [memoryview(bytearray(layout.PAGE)).cast("Q") for _ in range(4)]
        self.channels = [memoryview(bytearray(layout.PAGE)).cast("Q") for _ in range(4)]
        for words in self.channels:
            words[layout.TAIL], words[layout.HEAD] = 14, 10
            words[layout.WAKE_TAIL] = words[layout.WAKE_HEAD] = layout.NEVER
        for words in self.controls:
            words[layout.PHASE] = layout.PHASE_WAITING
        self.channels[JOBS][layout.WAKE_HEAD] = 11
        for channel in (JOBS_THERE, RESULTS_THERE):
            self.channels[channel][layout.HEAD] = 14
            self.channels[channel][layout.WAKE_TAIL] = 15

    def stands_still(self, *, held: tuple[int, ...] = (0,), choosy: bool = False) -> bool:
        """Ask as the worker does, at its end to the collector, of what it holds back of its jobs."""
        pool = self

        class Looked(Standstill):
            def _chain(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
                pool.looks += 1
                if pool.looks == 2 and pool.between is not None:
                    pool.between()
                return super()._chain(*args, **kwargs)  # type: ignore[arg-type]

        return Looked(plan(), ME, lambda: (self.controls, self.channels)).has_come(1, held, choosy=choosy)


def test_a_chain_of_waits_comes_back() -> None:
    assert Pool().stands_still()


def test_nothing_is_held_back() -> None:
    assert not Pool().stands_still(held=())


@pytest.mark.parametrize("actor", [DEAL, COLLECT, OTHER])
@pytest.mark.parametrize("phase", [layout.PHASE_RUNNING, layout.PHASE_STARTING])
def test_who_works_or_starts_may_bring_it(actor: int, phase: int) -> None:
    pool = Pool()
    pool.controls[actor][layout.PHASE] = phase
    assert not pool.stands_still(choosy=True)


@pytest.mark.parametrize("actor", [DEAL, COLLECT, OTHER])
def test_who_has_other_ways_is_taken_to_stand_still_only_after_a_while(actor: int) -> None:
    pool = Pool()
    pool.controls[actor][layout.OTHER_WAYS] = 1
    assert not pool.stands_still()
    assert pool.stands_still(choosy=True)


@pytest.mark.parametrize("actor", [DEAL, COLLECT, OTHER])
def test_who_has_put_commits_off_gives_way_by_itself(actor: int) -> None:
    pool = Pool()
    pool.controls[actor][layout.OTHER_WAYS] = layout.GIVES_WAY
    assert not pool.stands_still(choosy=True)


@pytest.mark.parametrize(
    ("channel", "word", "value"),
    [
        (RESULTS_THERE, layout.TAIL, 15),
        (RESULTS_THERE, layout.WAKE_TAIL, layout.NEVER),
        (RESULTS_THERE, layout.TX_CLOSED, 1),
        (JOBS_THERE, layout.TAIL, 15),
        (JOBS, layout.HEAD, 11),
        (JOBS, layout.RX_CLOSED, 1),
    ],
)
def test_who_has_what_it_waits_for_goes_on(channel: int, word: int, value: int) -> None:
    pool = Pool()
    pool.channels[channel][word] = value
    assert not pool.stands_still(choosy=True)


def test_links_that_were_not_there_at_once_are_none() -> None:
    pool = Pool()

    def move() -> None:
        for word in (layout.TAIL, layout.HEAD, layout.WAKE_TAIL):
            pool.channels[JOBS_THERE][word] += 1

    pool.between = move
    assert not pool.stands_still()
    assert pool.looks == 2
    assert pool.stands_still()
