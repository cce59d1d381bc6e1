"""The monkey and its dice, on a run that is no run: nobody dies here."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from steady_mp.chaos import LONGEST_FREEZE, MOST, SHORTEST_FREEZE, Dice, Monkey, Throw
from steady_mp.errors import ConfigurationError
from steady_mp.events import (
    ActorDied,
    ChaosBegan,
    ChaosEnded,
    ChaosFroze,
    ChaosKilled,
    Event,
    RunStopped,
    ShutdownRequested,
)
from steady_mp.memory.status import read_status
from steady_mp.supervisor.report import Toll
from steady_mp.testing import ManualClock
from steady_mp.testing.chaos import unleash
from tests.support.simulated import Simulated, expose

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Run

pytestmark = pytest.mark.timeout(20)

ACTORS = ("heartbeat", "generator", "worker", "logger")
MANY = 4000


def throws(count: int = MANY, *, seed: int = 7, rate: float = 5.0, freeze: float = 0.0) -> list[Throw]:
    dice = Dice(seed, ACTORS, rate, freeze)
    return [dice.throw() for _ in range(count)]


def killed(actor: str) -> ChaosKilled:
    return ChaosKilled(actor=actor, generation=1, cause="chaos", pause=0.0, commit=0)


class FakeRun:
    """Takes strikes, and says what the test has it say."""

    actors = ACTORS

    def __init__(self, *, on_strike: Callable[[int], None] = lambda _: None, settles: bool = True) -> None:
        self.strikes: list[tuple[tuple[str, ...], float]] = []
        self.announced: list[Event] = []
        self.truces = 0
        self._on_strike = on_strike
        self._settles = settles
        self.tell: Callable[[Event], None] = lambda _: None

    def watch(self, consumer: Callable[[Event], None]) -> None:
        self.tell = consumer

    def announce(self, event: Event) -> None:
        self.announced.append(event)

    def strike(self, *actors: str, freeze: float = 0.0) -> None:
        self.strikes.append((actors, freeze))
        self._on_strike(len(self.strikes))

    def make_truce(self) -> None:
        self.truces += 1
        if self._settles:
            self.tell(ChaosEnded())


# The dice


def test_the_same_seed_throws_the_same() -> None:
    assert throws(seed=1) == throws(seed=1)
    assert throws(seed=1) != throws(seed=2)


def test_whom_a_seed_hits_and_when_is_the_same_for_any_share_of_freezes() -> None:
    calm, icy = throws(), throws(freeze=0.5)
    assert [(throw.pause, throw.actors) for throw in calm] == [(throw.pause, throw.actors) for throw in icy]


def test_all_actors_are_tried_in_any_order() -> None:
    orders = {throw.actors for throw in throws()}
    assert orders == set(itertools.permutations(ACTORS))


@pytest.mark.parametrize("rate", [0.1, 5.0, MOST])
def test_the_pauses_make_the_rate(rate: float) -> None:
    assert sum(throw.pause for throw in throws(rate=rate)) == pytest.approx(MANY / rate, rel=0.1)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_so_many_strikes_freeze_and_for_a_short_time(share: float) -> None:
    freezes = [throw.freeze for throw in throws(freeze=share) if throw.freeze]
    assert len(freezes) == pytest.approx(MANY * share, rel=0.1)
    assert all(SHORTEST_FREEZE <= seconds <= LONGEST_FREEZE for seconds in freezes)


# The monkey


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0.0}, "rate 0.0 must be above 0 and at most 1000"),
        ({"rate": -1.0}, "rate -1.0 must be above 0"),
        ({"rate": 1000.5}, "rate 1000.5 must be above 0 and at most 1000"),
        ({"rate": float("nan")}, "rate nan must be above 0"),
        ({"rate": "5"}, "rate '5' must be above 0 and at most 1000"),
        ({"rate": True}, "rate True must be above 0"),
        ({"rate": 1.0, "freeze": None}, "freeze None must be a share from 0 to 1"),
        ({"rate": 1.0, "freeze": 1.5}, "freeze 1.5 must be a share from 0 to 1"),
        ({"rate": 1.0, "freeze": float("nan")}, "freeze nan must be a share"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Monkey(FakeRun(), **options)


def test_it_strikes_as_the_dice_fall() -> None:
    enough = threading.Event()
    run = FakeRun(on_strike=lambda count: enough.set() if count == 5 else None)
    with Monkey(run, rate=MOST, seed=7, freeze=0.5):
        assert enough.wait(10)
    expected = throws(len(run.strikes), rate=MOST, freeze=0.5)
    assert run.strikes == [(throw.actors, throw.freeze) for throw in expected]
    assert run.announced == [ChaosBegan(rate=MOST, freeze=0.5, seed=7)]
    assert run.truces == 1


def test_without_a_seed_there_is_another_one_each_time() -> None:
    assert len({Monkey(FakeRun(), rate=1.0).seed for _ in range(10)}) > 1


def test_it_stops_by_itself_when_the_run_has_ended() -> None:
    run = FakeRun(settles=False)  # a run that is over hears no wish for a truce
    monkey = Monkey(run, rate=0.1, seed=7)  # its first pause is one of seconds
    monkey.start()
    run.tell(RunStopped(clean=True, exit_code=0, seconds=1.0))
    monkey.close()
    assert run.strikes == []


def test_closing_waits_for_what_is_on_its_way() -> None:
    run = FakeRun(settles=False)
    monkey = Monkey(run, rate=0.1).start()
    closing = threading.Thread(target=monkey.close)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()
    run.tell(killed("worker"))
    run.tell(ChaosEnded())
    closing.join(10)
    assert not closing.is_alive()
    assert monkey.kills == 1


def test_it_counts_what_was_seen_to_happen() -> None:
    run = FakeRun()
    with Monkey(run, rate=0.1, seed=3, freeze=0.25) as monkey:
        for event in (
            killed("worker"),
            killed("logger"),
            killed("worker"),
            ChaosFroze(actor="worker", generation=3, seconds=0.1),
            ActorDied(actor="logger", generation=2, cause="SIGKILL", pause=0.0, commit=0),
        ):
            run.tell(event)
    report = monkey.report()
    assert (monkey.kills, monkey.freezes) == (report.kills, report.freezes) == (3, 1)
    assert (report.rate, report.freeze, report.seed) == (0.1, 0.25, 3)
    assert report.actors == {
        "heartbeat": Toll(),
        "generator": Toll(),
        "worker": Toll(kills=2, freezes=1),
        "logger": Toll(kills=1),
    }
    assert (report.exact, report.wrong) == (None, [])


def test_a_drain_gets_the_second_half_of_its_time_for_itself() -> None:
    clock = ManualClock()

    def strike(count: int) -> None:
        if count == 1:
            run.tell(ShutdownRequested(reason="the test", seconds=0.4))
        clock.advance(0.05)

    run = FakeRun(on_strike=strike)
    monkey = Monkey(run, rate=MOST, freeze=1.0, clock=clock).start()
    monkey._thread.join(10)
    monkey.close()
    first, *others = run.strikes
    assert first[1] > 0
    assert len(others) == 3
    assert all(0 < freeze <= 0.1 for _, freeze in others)


def test_a_monkey_that_fails_thaws_everybody_and_says_so() -> None:
    def fail(_count: int) -> None:
        message = "its hand slipped"
        raise ValueError(message)

    run = FakeRun(on_strike=fail)
    monkey = Monkey(run, rate=MOST).start()
    monkey._thread.join(10)
    assert run.truces == 1
    with pytest.raises(ValueError, match="its hand slipped"):
        monkey.close()


# In a test


SEED = ["chaos with seed 7: 0 kills, 0 freezes"]


@pytest.mark.parametrize(
    ("error", "notes"),
    [
        (ValueError(), SEED),
        (pytest.fail.Exception(), SEED),
        (KeyboardInterrupt(), []),
        (SystemExit(), []),
        (GeneratorExit(), []),
    ],
)
def test_whatever_fails_a_test_is_told_the_seed(error: BaseException, notes: list[str]) -> None:
    def go_wrong() -> None:
        with unleash(cast("Run", FakeRun()), rate=0.1, seed=7):
            raise error

    with pytest.raises(type(error)) as caught:
        go_wrong()
    assert caught.value is error
    assert getattr(error, "__notes__", []) == notes


def test_strikes_at_an_actor_that_there_is_not_are_not_counted() -> None:
    with unleash(cast("Run", FakeRun()), rate=0.1, seed=7) as strikes:
        for ask in (strikes.kills, strikes.freezes, lambda actor: strikes.wait_for(kills=1, actor=actor)):
            with pytest.raises(ConfigurationError, match="no actor 'worcer': there are heartbeat, generator, "):
                ask("worcer")
        assert strikes.kills("worker") == 0


# What is told of it


def test_the_status_and_the_metrics_count_strikes_by_actor() -> None:
    with Simulated() as simulated:
        simulated.begin()
        simulated.record(killed("feed"))
        simulated.begin(generation=2)
        simulated.record(ChaosFroze(actor="feed", generation=2, seconds=0.1))
        status = read_status(simulated.run.path).actors[0]
        simulated.tick()
        text = expose(simulated.board).decode()
    assert (status.causes["chaos"], status.deaths, status.freezes) == (1, {"chaos": 1}, 1)
    labels = 'actor="feed",cause="chaos",graph="simulated"'
    assert f"steady_actor_restarts_total{{{labels}}} 1.0" in text
    assert 'steady_actor_freezes_total{actor="feed",graph="simulated"} 1.0' in text


def test_each_event_is_a_sentence() -> None:
    assert [
        event.text
        for event in (
            ChaosBegan(rate=5.0, freeze=0.0, seed=7),
            ChaosBegan(rate=0.1, freeze=0.25, seed=7),
            killed("worker"),
            ChaosFroze(actor="worker", generation=3, seconds=0.123),
            ChaosEnded(),
        )
    ] == [
        "chaos: 5 strikes a second, seed 7",
        "chaos: 0.1 strikes a second, 25% of them freeze, seed 7",
        "chaos killed worker in life 1; life 2 goes on from commit 0 at once",
        "chaos froze worker in life 3 for 0.12 s",
        "chaos is over",
    ]
