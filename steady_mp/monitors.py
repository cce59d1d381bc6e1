"""What an actor or a channel shows, and when it raises an alert: declared at the graph, as plain data.

    graph.channel(
        capacity=64,
        monitors=[Monitor(Metric.FILLED, Statistic.percentile(80)), Monitor(Metric.RATE, Statistic.average())],
        alerts=[
            Alert(Trigger.avg_above(Filled.percent(60)), AlertColor.ORANGE),
            Alert(Trigger.avg_above(Filled.percent(90)), AlertColor.RED),
        ],
    )

All of it is frozen and lives in the run's ``graph.json``; the telemetry process evaluates it over its window.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from steady_mp.amounts import is_number
from steady_mp.errors import ConfigurationError

T = TypeVar("T")

_MOST_PERCENT = 100


def _check_kind(what: str, value: object, kind: type, mend: str) -> None:
    if not isinstance(value, kind):
        message = f"{what} {value!r}: give it {mend}"
        raise ConfigurationError(message)


def _check_word(what: str, value: object, words: type[StrEnum]) -> None:
    if value not in list(words):
        message = f"{what} {value!r}: must be one of {', '.join(words)}"
        raise ConfigurationError(message)


class Metric(StrEnum):
    """What is measured; filled, rate and latency of a channel, mcpu and load of an actor."""

    FILLED = "filled"
    RATE = "rate"
    LATENCY = "latency"
    MCPU = "mcpu"
    LOAD = "load"


CHANNEL_METRICS: Final = frozenset({Metric.FILLED, Metric.RATE, Metric.LATENCY})
ACTOR_METRICS: Final = frozenset({Metric.MCPU, Metric.LOAD})
UNITS: Final = {Metric.FILLED: "%", Metric.RATE: "/s", Metric.LATENCY: "s", Metric.MCPU: "mCPU", Metric.LOAD: "%"}


class AlertColor(StrEnum):
    """How bad it is."""

    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def rank(self) -> int:
        """1 for yellow to 3 for red; the worst alert of a thing colours it."""
        return list(AlertColor).index(self) + 1


@dataclass(frozen=True, slots=True)
class Statistic:
    """How the samples of the window become one number. Made by its class methods."""

    kind: str
    q: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no window can answer."""
        if self.kind not in {"avg", "min", "max", "percentile", "std_dev"}:
            message = f"statistic {self.kind!r}: there are average, minimum, maximum, percentile and standard_deviation"
            raise ConfigurationError(message)
        if not is_number(self.q) or not 0 <= self.q <= _MOST_PERCENT:
            message = f"percentile {self.q!r}: must be from 0 to 100"
            raise ConfigurationError(message)

    @classmethod
    def average(cls) -> Statistic:
        """Return the mean of the window."""
        return cls("avg")

    @classmethod
    def minimum(cls) -> Statistic:
        """Return the least sample of the window."""
        return cls("min")

    @classmethod
    def maximum(cls) -> Statistic:
        """Return the greatest sample of the window."""
        return cls("max")

    @classmethod
    def percentile(cls, q: float) -> Statistic:
        """Return what `q` percent of the samples do not exceed."""
        return cls("percentile", q)

    @classmethod
    def standard_deviation(cls) -> Statistic:
        """Return how far the samples are spread around their mean."""
        return cls("std_dev")

    def __str__(self) -> str:
        """Return the name in a label: ``avg``, ``p80``."""
        return f"p{self.q:g}" if self.kind == "percentile" else self.kind.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Monitor:
    """One figure that a channel or an actor shows."""

    metric: Metric
    statistic: Statistic

    def __post_init__(self) -> None:
        """Refuse what can't be shown."""
        _check_word("Monitor: metric", self.metric, Metric)
        _check_kind("Monitor: statistic", self.statistic, Statistic, "Statistic.average() and its like")

    def __str__(self) -> str:
        """Return the label: ``filled p80``."""
        return f"{self.metric} {self.statistic}"


@dataclass(frozen=True, slots=True)
class Level:
    """A value of a metric, to compare with; made by `Filled`, `Rate`, `Latency`, `MilliCpu` and `Load`."""

    metric: Metric
    value: float

    def __post_init__(self) -> None:
        """Refuse what nothing measured could be compared with."""
        if not is_number(self.value) or self.value < 0:
            message = f"{self.metric} {self.value!r}: must be a number, 0 or more"
            raise ConfigurationError(message)

    def __str__(self) -> str:
        """Return the value with its unit: ``60 %``."""
        unit = UNITS[self.metric]
        return f"{self.value:g}{unit}" if unit == "/s" else f"{self.value:g} {unit}"


class Filled:
    """Levels of how full a channel is."""

    @staticmethod
    def percent(value: float) -> Level:
        """Return the level at `value` percent of the capacity."""
        return Level(Metric.FILLED, value)


class Rate:
    """Levels of what a consumer takes from a channel."""

    @staticmethod
    def per_second(value: float) -> Level:
        """Return the level at `value` messages a second."""
        return Level(Metric.RATE, value)


class Latency:
    """Levels of how long a message waits in a channel."""

    @staticmethod
    def seconds(value: float) -> Level:
        """Return the level at `value` seconds."""
        return Level(Metric.LATENCY, value)

    @staticmethod
    def milliseconds(value: float) -> Level:
        """Return the level at `value` thousandths of a second."""
        return Level(Metric.LATENCY, value / 1000 if is_number(value) else value)  # else refused as it was given


class MilliCpu:
    """Levels of the processor time of an actor; 1024 are one core."""

    @staticmethod
    def of(value: float) -> Level:
        """Return the level at `value` 1024ths of a core."""
        return Level(Metric.MCPU, value)

    @staticmethod
    def cores(value: float) -> Level:
        """Return the level at `value` whole cores."""
        return Level(Metric.MCPU, value * 1024 if is_number(value) else value)  # as above


class Load:
    """Levels of the share of the time in which an actor did not wait."""

    @staticmethod
    def percent(value: float) -> Level:
        """Return the level at `value` percent of the window."""
        return Level(Metric.LOAD, value)


@dataclass(frozen=True, slots=True)
class Trigger:
    """When an alert is raised: a statistic of the window on one side of a level. Made by its class methods.

    `std_devs` standard deviations are added to the average when it is to be above the level, and
    subtracted when it is to be below: a spread window counts as worse than a steady one.
    """

    level: Level
    above: bool
    statistic: Statistic
    std_devs: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no window could be compared with."""
        _check_kind("Trigger: level", self.level, Level, "Filled.percent(…) and its like")
        _check_kind("Trigger: statistic", self.statistic, Statistic, "Statistic.average() and its like")
        if not is_number(self.std_devs):
            message = f"Trigger: std_devs {self.std_devs!r}: must be a number"
            raise ConfigurationError(message)

    @classmethod
    def avg_above(cls, level: Level) -> Trigger:
        """Raise when the average is above `level`."""
        return cls(level, above=True, statistic=Statistic.average())

    @classmethod
    def avg_below(cls, level: Level) -> Trigger:
        """Raise when the average is below `level`."""
        return cls(level, above=False, statistic=Statistic.average())

    @classmethod
    def std_devs_above(cls, std_devs: float, level: Level) -> Trigger:
        """Raise when the average and `std_devs` standard deviations are above `level`."""
        return cls(level, above=True, statistic=Statistic.average(), std_devs=std_devs)

    @classmethod
    def std_devs_below(cls, std_devs: float, level: Level) -> Trigger:
        """Raise when the average less `std_devs` standard deviations is below `level`."""
        return cls(level, above=False, statistic=Statistic.average(), std_devs=std_devs)

    @classmethod
    def percentile_above(cls, q: float, level: Level) -> Trigger:
        """Raise when the percentile `q` is above `level`."""
        return cls(level, above=True, statistic=Statistic.percentile(q))

    @classmethod
    def percentile_below(cls, q: float, level: Level) -> Trigger:
        """Raise when the percentile `q` is below `level`."""
        return cls(level, above=False, statistic=Statistic.percentile(q))

    def __str__(self) -> str:
        """Return the condition in words: ``filled avg above 60 %``."""
        side = "above" if self.above else "below"
        sign = "+" if self.above else "-"
        spread = f" {sign} {self.std_devs:g} std devs" if self.std_devs else ""
        return f"{self.level.metric} {self.statistic}{spread} {side} {self.level}"


@dataclass(frozen=True, slots=True)
class Alert:
    """A colour that a channel or an actor takes on while its trigger holds."""

    trigger: Trigger
    color: AlertColor

    def __post_init__(self) -> None:
        """Refuse what never holds, or has no colour."""
        _check_kind("Alert: trigger", self.trigger, Trigger, "Trigger.avg_above(…) and its like")
        _check_word("Alert: color", self.color, AlertColor)


DEFAULT_CHANNEL_MONITORS: Final = (
    Monitor(Metric.FILLED, Statistic.percentile(80)),
    Monitor(Metric.RATE, Statistic.average()),
    Monitor(Metric.LATENCY, Statistic.average()),
)
DEFAULT_ACTOR_MONITORS: Final = (
    Monitor(Metric.LOAD, Statistic.average()),
    Monitor(Metric.MCPU, Statistic.average()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What is shown of one channel or actor, and what it alerts for."""

    monitors: tuple[Monitor, ...] = ()
    alerts: tuple[Alert, ...] = ()

    @classmethod
    def checked(
        cls, what: str, metrics: frozenset[Metric], monitors: Iterable[Monitor], alerts: Iterable[Alert]
    ) -> Watching:
        """Return what was declared for `what`.

        Raises ConfigurationError for a metric that it does not have, and for what is no monitor or alert in its place.
        """
        watching = cls(
            monitors=_all_of(Monitor, f"{what}: monitors", monitors), alerts=_all_of(Alert, f"{what}: alerts", alerts)
        )
        wanted = [each.metric for each in watching.monitors]
        for metric in (*wanted, *(each.trigger.level.metric for each in watching.alerts)):
            if metric not in metrics:
                message = f"{what} has no {metric}: it has {', '.join(sorted(metrics))}"
                raise ConfigurationError(message)
        return watching

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Watching:
        """Read what ``dataclasses.asdict`` made of one, through JSON."""
        return cls(
            monitors=tuple(Monitor(Metric(m["metric"]), Statistic(**m["statistic"])) for m in data["monitors"]),
            alerts=tuple(Alert(_trigger(a["trigger"]), AlertColor(a["color"])) for a in data["alerts"]),
        )


def _all_of(kind: type[T], what: str, given: object) -> tuple[T, ...]:
    """Return what was given, each of it of that kind. Raises ConfigurationError."""
    if not isinstance(given, Iterable):
        message = f"{what}: give it a list of {kind.__name__}(…), not {given!r}"
        raise ConfigurationError(message)
    found: list[T] = []
    for each in given:
        if not isinstance(each, kind):
            message = f"{what}: {each!r} is no {kind.__name__}(…)"
            raise ConfigurationError(message)
        found.append(each)
    return tuple(found)


def _trigger(data: dict[str, Any]) -> Trigger:
    return Trigger(
        level=Level(Metric(data["level"]["metric"]), data["level"]["value"]),
        above=data["above"],
        statistic=Statistic(**data["statistic"]),
        std_devs=data["std_devs"],
    )
