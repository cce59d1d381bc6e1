"""The proof of the pipeline: arithmetic, and what it says of a report that is not right."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from actors import check_report
from actors.fizzbuzz import fizzbuzz
from actors.logger import LoggerState
from actors.proof import totals
from steady_mp import ActorReport, ChannelReport, ExitCode, Report

BEATS, NUMBERS = 12, 769


def actor(name: str, **state: int) -> ActorReport:
    return ActorReport(name=name, generation=3, restarts=2, deaths=["chaos"] * 2, finished=True, state=state)


def channel(start: str, goal: str, count: int) -> ChannelReport:
    name = f"{start}→{goal}"
    return ChannelReport(name=name, from_actor=start, to_actor=goal, capacity=64, sent=count, taken=count, in_flight=0)


EXACT = Report(
    graph="pipeline",
    clean=True,
    why=[],
    exit_code=ExitCode.DRAINED,
    wall_time=6.0,
    actors=[
        actor("heartbeat", beats=BEATS),
        actor("generator", value=NUMBERS),
        actor("worker", beats=BEATS, messages=NUMBERS),
        actor("logger", fizzbuzz=52, fizz=205, buzz=102, value=410),
    ],
    channels=[
        channel("heartbeat", "worker", BEATS),
        channel("generator", "worker", NUMBERS),
        channel("worker", "logger", NUMBERS),
    ],
)


def with_state(name: str, **changed: int) -> Report:
    actors = [
        dataclasses.replace(each, state={**each.state, **changed}) if each.name == name else each
        for each in EXACT.actors
    ]
    return dataclasses.replace(EXACT, actors=actors)


def with_channel(index: int, **changed: Any) -> Report:
    channels = list(EXACT.channels)
    channels[index] = dataclasses.replace(channels[index], **changed)
    return dataclasses.replace(EXACT, channels=channels)


@pytest.mark.parametrize("count", [*range(32), 768, 769, 10_000])
def test_the_totals_are_those_of_counting(count: int) -> None:
    counted = LoggerState()
    for number in range(count):
        counted.count(fizzbuzz(number))
    assert totals(count) == counted


def test_a_report_that_is_exact() -> None:
    assert check_report(EXACT) == []


def test_a_run_without_anything_is_exact_too() -> None:
    report = with_state("heartbeat", beats=0)
    report = dataclasses.replace(
        report,
        actors=[
            actor("heartbeat", beats=0),
            actor("generator", value=0),
            actor("worker", beats=0, messages=0),
            actor("logger", fizzbuzz=0, fizz=0, buzz=0, value=0),
        ],
        channels=[dataclasses.replace(each, sent=0, taken=0) for each in EXACT.channels],
    )
    assert check_report(report) == []


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (with_state("worker", beats=11), "the worker's beats must be 12, not 11"),
        (with_state("worker", messages=770), "the worker's messages must be 769, not 770"),
        (
            with_state("logger", fizz=206),
            f"the logger's totals must be {totals(NUMBERS)}, not FizzBuzz 52, Fizz 206, Buzz 102, Value 410",
        ),
        (with_channel(0, sent=13), "heartbeat→worker: sent must be 12, not 13"),
        (with_channel(1, taken=768), "generator→worker: taken must be 769, not 768"),
        (with_channel(2, taken=770), "worker→logger: taken must be 769, not 770"),
    ],
)
def test_one_that_is_not_says_what_is_wrong(report: Report, line: str) -> None:
    assert check_report(report) == [line]


def test_a_number_that_was_sent_twice_shows_everywhere() -> None:
    assert len(check_report(with_state("generator", value=NUMBERS - 1))) == 6
