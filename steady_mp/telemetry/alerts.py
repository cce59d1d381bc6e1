"""Alerts: which of the declared triggers hold, since when, and what has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steady_mp.events import AlertCleared, AlertRaised, Event
from steady_mp.monitors import UNITS, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steady_mp.monitors import Alert, AlertColor, Trigger
    from steady_mp.telemetry.window import Window

#: Samples that a window must have before an alert is raised: one alone is no statistic.
_LEAST_SAMPLES = 2


def measured(trigger: Trigger, window: Window) -> float | None:
    """Return what the trigger compares with its level; None while the window can't tell."""
    if len(window) < _LEAST_SAMPLES:
        return None
    value = window.statistic(trigger.statistic)
    if value is None or not trigger.std_devs:
        return value
    spread = trigger.std_devs * (window.standard_deviation() or 0.0)
    return value + spread if trigger.above else value - spread


def holds(trigger: Trigger, value: float | None) -> bool:
    """Tell whether the trigger is to raise at this value."""
    if value is None:
        return False
    return value > trigger.level.value if trigger.above else value < trigger.level.value


def shown(metric: Metric, value: float | None) -> str:
    """Return a value of a metric with its unit, for people."""
    if value is None:
        return "unknown"
    if metric is Metric.LATENCY and value < 1:
        return f"{value * 1000:.1f} ms"
    return f"{value:,.1f} {UNITS[metric]}".replace(" /s", "/s")


@dataclass(slots=True)
class Raised:
    """An alert that holds."""

    kind: str
    subject: str
    alert: Alert
    since: float
    value: float | None

    @property
    def text(self) -> str:
        """The alert as one sentence."""
        trigger = self.alert.trigger
        return f"{self.subject}: {trigger}, now {shown(trigger.level.metric, self.value)}"


class Watcher:
    """The alerts of one channel or actor."""

    def __init__(self, kind: str, subject: str, alerts: tuple[Alert, ...]) -> None:
        """Watch `subject`, a channel or an actor by its `kind`."""
        self._kind = kind
        self._subject = subject
        self._alerts = alerts
        self._raised: dict[int, Raised] = {}

    @property
    def raised(self) -> list[Raised]:
        """The alerts that hold, the worst first."""
        return sorted(self._raised.values(), key=lambda raised: -raised.alert.color.rank)

    @property
    def color(self) -> AlertColor | None:
        """The colour of the worst alert that holds."""
        return max((r.alert.color for r in self._raised.values()), key=lambda color: color.rank, default=None)

    def look(self, windows: Mapping[Metric, Window], wall: float) -> list[Event]:
        """Evaluate all triggers; return what has changed."""
        changes: list[Event] = []
        for index, alert in enumerate(self._alerts):
            trigger = alert.trigger
            value = measured(trigger, windows[trigger.level.metric])
            raised = self._raised.get(index)
            if holds(trigger, value):
                if raised is None:
                    self._raised[index] = Raised(self._kind, self._subject, alert, wall, value)
                    changes.append(self._announce(alert, value))
                else:
                    raised.value = value
            elif raised is not None:
                del self._raised[index]
                changes.append(
                    AlertCleared(
                        kind=self._kind,
                        subject=self._subject,
                        color=alert.color.value,
                        condition=str(trigger),
                        seconds=max(0.0, wall - raised.since),
                    )
                )
        return changes

    def _announce(self, alert: Alert, value: float | None) -> AlertRaised:
        return AlertRaised(
            kind=self._kind,
            subject=self._subject,
            color=alert.color.value,
            condition=str(alert.trigger),
            value=shown(alert.trigger.level.metric, value),
        )
