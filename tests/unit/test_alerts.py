from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import (
    Alert,
    AlertColor,
    ConfigurationError,
    Filled,
    Graph,
    Latency,
    Level,
    Load,
    Metric,
    MilliCpu,
    Monitor,
    Rate,
    Statistic,
    Trigger,
)
from steady_mp.events import AlertCleared, AlertRaised
from steady_mp.monitors import Watching
from steady_mp.plan import Plan
from steady_mp.telemetry.alerts import Watcher, holds, measured, shown
from steady_mp.telemetry.window import Window
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Callable

ORANGE = Alert(Trigger.avg_above(Filled.percent(60)), AlertColor.ORANGE)
RED = Alert(Trigger.avg_above(Filled.percent(90)), AlertColor.RED)


def window(*samples: float) -> Window:
    found = Window(20)
    for sample in samples:
        found.add(sample)
    return found


@pytest.mark.parametrize(
    ("trigger", "samples", "raised"),
    [
        (Trigger.avg_above(Filled.percent(60)), [50, 71], True),
        (Trigger.avg_above(Filled.percent(60)), [50, 70], False),  # exactly at the level is not above it
        (Trigger.avg_below(Rate.per_second(5)), [4, 5], True),
        (Trigger.avg_below(Rate.per_second(5)), [5, 5], False),
        (Trigger.std_devs_above(1, Latency.seconds(3)), [1, 3, 5], True),
        (Trigger.std_devs_above(1, Latency.seconds(3)), [3, 3, 3], False),
        (Trigger.std_devs_below(1, Load.percent(3)), [1, 3, 5], True),
        (Trigger.std_devs_below(1, Load.percent(3)), [3, 3, 3], False),
        (Trigger.percentile_above(80, MilliCpu.of(500)), [1, 2, 3, 600, 700], True),
        (Trigger.percentile_above(50, MilliCpu.of(500)), [1, 2, 3, 600, 700], False),
        (Trigger.percentile_below(20, Load.percent(5)), [1, 50, 50, 50, 50], True),
        (Trigger.percentile_below(50, Load.percent(5)), [1, 50, 50, 50, 50], False),
        (Trigger.avg_above(Filled.percent(60)), [100], False),  # one sample is no statistic
        (Trigger.avg_below(Filled.percent(60)), [], False),
    ],
)
def test_when_a_trigger_holds(trigger: Trigger, samples: list[float], raised: bool) -> None:  # noqa: FBT001 - a table
    assert holds(trigger, measured(trigger, window(*samples))) is raised


def test_triggers_read_as_sentences() -> None:
    assert str(RED.trigger) == "filled avg above 90 %"
    assert str(Trigger.std_devs_above(2, Latency.milliseconds(1500))) == "latency avg + 2 std devs above 1.5 s"
    assert str(Trigger.percentile_below(80, Rate.per_second(10))) == "rate p80 below 10/s"
    assert str(Trigger.std_devs_below(1.5, MilliCpu.cores(0.5))) == "mcpu avg - 1.5 std devs below 512 mCPU"


@pytest.mark.parametrize("value", ["1", None, True, -1, math.nan, math.inf])
def test_a_level_that_is_no_number_is_refused_as_it_was_given(value: Any) -> None:
    for level, name in (
        (Latency.seconds, "latency"),
        (Latency.milliseconds, "latency"),
        (MilliCpu.of, "mcpu"),
        (MilliCpu.cores, "mcpu"),
    ):
        with pytest.raises(ConfigurationError, match=rf"^{name} '?(\w+|-.+)'?: must be a number, 0 or more$"):
            level(value)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (Metric.FILLED, 93.04, "93.0 %"),
        (Metric.RATE, 1234.5, "1,234.5/s"),
        (Metric.LATENCY, 0.0123, "12.3 ms"),
        (Metric.LATENCY, 2, "2.0 s"),
        (Metric.LOAD, None, "unknown"),
    ],
)
def test_values_have_units(metric: Metric, value: float | None, text: str) -> None:
    assert shown(metric, value) == text


def test_the_worst_alert_colours_and_changes_are_events() -> None:
    watcher = Watcher("channel", "a→b", (ORANGE, RED))
    calm, busy, full = ({Metric.FILLED: window(x, x)} for x in (10, 75, 100))
    assert watcher.look(calm, 1.0) == []
    (raised,) = watcher.look(busy, 2.0)
    assert isinstance(raised, AlertRaised)
    assert raised.text == "alert orange: channel a→b: filled avg above 60 %, now 75.0 %"
    assert str(watcher.color) == "orange"
    assert [event.text for event in watcher.look(full, 3.0)] == [
        "alert red: channel a→b: filled avg above 90 %, now 100.0 %"
    ]
    assert str(watcher.color) == "red"
    assert [alert.text for alert in watcher.raised] == [
        "a→b: filled avg above 90 %, now 100.0 %",
        "a→b: filled avg above 60 %, now 100.0 %",
    ]
    assert watcher.look(full, 4.0) == []
    cleared = watcher.look(calm, 7.0)
    assert all(isinstance(event, AlertCleared) for event in cleared)
    assert cleared[1].text == "alert red is over after 4.0 s: channel a→b: filled avg above 90 %"
    assert watcher.color is None


def test_declarations_survive_the_plan() -> None:
    alerts = [ORANGE, RED, Alert(Trigger.std_devs_above(2.5, Latency.seconds(1)), AlertColor.YELLOW)]
    with Simulated(monitors=[Monitor(Metric.RATE, Statistic.percentile(99))], alerts=alerts) as simulated:
        plan = Plan.from_json(simulated.plan.to_json())
        assert plan == simulated.plan
        assert plan.channels[0].watching.alerts == tuple(alerts)
        assert (plan.refresh, plan.window) == (0.5, 5.0)
        watching = plan.channels[0].watching
        assert Watching.from_data(json.loads(json.dumps(asdict(watching)))) == watching


def test_what_makes_no_sense_is_refused_where_it_is_declared() -> None:
    graph = Graph("refused")
    with pytest.raises(ConfigurationError, match="channel 'x' has no load: it has filled, latency, rate"):
        graph.channel(name="x", alerts=[Alert(Trigger.avg_above(Load.percent(50)), AlertColor.RED)])
    with pytest.raises(ConfigurationError, match=r"alerts: .* is no Alert"):
        graph.channel(alerts=[AlertColor.RED])  # type: ignore[list-item]
    for value in (-1, float("nan"), float("inf"), "60", True):
        with pytest.raises(ConfigurationError, match="must be a number"):
            Level(Metric.FILLED, value)  # type: ignore[arg-type]
    for pace in ({"refresh": 0}, {"refresh": "1"}, {"window": 0.1}, {"window": 1e9}):
        with pytest.raises(ConfigurationError, match="must be a number of seconds"):
            Graph("pace", **pace)


NONE: dict[str, tuple[Callable[[], object], str]] = {
    "a colour": (
        lambda: Alert(RED.trigger, "amber"),  # type: ignore[arg-type]
        "Alert: color 'amber': must be one of yellow, orange, red",
    ),
    "a level for a trigger": (
        lambda: Alert(Filled.percent(90), AlertColor.RED),  # type: ignore[arg-type]
        "give it Trigger.avg_above(…) and its like",
    ),
    "a trigger's level": (
        lambda: Trigger.avg_above(90),  # type: ignore[arg-type]
        "Trigger: level 90: give it Filled.percent(…) and its like",
    ),
    "a trigger's statistic": (
        lambda: Trigger(Filled.percent(90), above=True, statistic="avg"),  # type: ignore[arg-type]
        "Trigger: statistic 'avg': give it Statistic.average() and its like",
    ),
    "a metric": (
        lambda: Monitor("heat", Statistic.average()),  # type: ignore[arg-type]
        "Monitor: metric 'heat': must be one of filled, rate, latency, mcpu, load",
    ),
    "a statistic": (
        lambda: Monitor(Metric.LOAD, "avg"),  # type: ignore[arg-type]
        "Monitor: statistic 'avg': give it Statistic.average() and its like",
    ),
    "a percentile": (
        lambda: Statistic.percentile("90"),  # type: ignore[arg-type]
        "percentile '90': must be from 0 to 100",
    ),
    "a spread": (
        lambda: Trigger.std_devs_above("2", Filled.percent(90)),  # type: ignore[arg-type]
        "Trigger: std_devs '2': must be a number",
    ),
    "an endless spread": (
        lambda: Trigger.std_devs_below(float("inf"), Filled.percent(90)),
        "Trigger: std_devs inf: must be a number",
    ),
}


@pytest.mark.parametrize(("make", "line"), NONE.values(), ids=NONE)
def test_what_is_none_is_refused_before_any_process_reads_it(make: Callable[[], object], line: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(line)):
        make()


def test_a_colour_and_a_metric_may_be_words() -> None:
    graph = Graph("words")
    monitors = [Monitor("rate", Statistic.average())]  # type: ignore[arg-type]
    graph.channel(monitors=monitors, alerts=[Alert(RED.trigger, "red")])  # type: ignore[arg-type]
