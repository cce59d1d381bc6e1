"""Bars: what the figures are held to, and the verdict on each, from the data of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

_OURS: Final = "steady-mp"
_BYTES_LANE: Final = "steady-mp, bytes lane"
_QUEUE: Final = "multiprocessing.Queue"
_PIPE: Final = "multiprocessing.Pipe"
_ZMQ: Final = "pyzmq PUSH/PULL"
_ALONE: Final = "numpy, one process"


class NotMeasuredError(Exception):
    """A figure that the verdict needs is not there; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The rows of one experiment of a run."""

    experiment: dict[str, Any]

    def row(self, name: str) -> dict[str, Any]:
        """Return a row that has figures. Raises NotMeasuredError."""
        for row in self.experiment["rows"]:
            if row["name"] == name:
                if "median" not in row:
                    message = f"{name}: {row['out']}"
                    raise NotMeasuredError(message)
                found: dict[str, Any] = row
                return found
        message = f"{name} was not measured"
        raise NotMeasuredError(message)

    def best_peer(self) -> str:
        """Return the name of the best row that is not ours, nor a floor. Raises NotMeasuredError."""
        rows = [row for row in self.experiment["rows"] if not (row["ours"] or row.get("floor")) and "median" in row]
        if not rows:
            message = "no peer was measured"
            raise NotMeasuredError(message)
        best = max if self.more_is_better else min
        return str(best(rows, key=lambda row: row["median"])["name"])

    def times(self, name: str, other: str) -> float:
        """Return how many times the figure of row `other` that of row `name` is. Raises NotMeasuredError."""
        ours, theirs = self.row(name), self.row(other)
        paired = self.experiment.get("paired", False)
        return ratios(ours["samples"], theirs["samples"], paired=paired).median

    @property
    def more_is_better(self) -> bool:
        """Whether a greater figure is the better one."""
        return bool(self.experiment["unit"]["more_is_better"])

    def show(self, value: float, title: str | None = None) -> str:
        """Return a figure, of the column `title` or of the median, as the tables show it, with its unit."""
        unit = self.experiment["extras"][title] if title else self.experiment["unit"]
        return f"{value * unit['factor']:,.{unit['digits']}f} {unit['shown']}".strip()


def _times(quotient: float, bar: float) -> str:
    """Return it with two digits, or with as many as it takes to see that it is not the bar: 0.995x is no 1.00x."""
    digits = next((n for n in range(2, 6) if round(quotient, n) != bar or quotient == bar), 6)
    return f"{quotient:.{digits}f}x"


class Need(ABC):
    """What a row must come to."""

    @abstractmethod
    def __str__(self) -> str:
        """Return it as a table shows it."""

    @abstractmethod
    def judge(self, found: Findings, name: str) -> tuple[bool, str]:
        """Tell whether the row `name` comes to it, and what was measured. Raises NotMeasuredError."""


@dataclass(frozen=True, slots=True)
class Times(Need):
    """At least so many times as good as `peer` (None: as the best of all peers)."""

    factor: float
    peer: str | None = None

    def __str__(self) -> str:
        return f"≥ {self.factor:g}x {self.peer or 'the best peer'}"

    def judge(self, found: Findings, name: str) -> tuple[bool, str]:
        """See `Need.judge`."""
        peer = self.peer or found.best_peer()
        quotient = found.times(name, peer) if found.more_is_better else found.times(peer, name)
        return quotient >= self.factor, _times(quotient, self.factor) + ("" if self.peer else f" {peer}")


@dataclass(frozen=True, slots=True)
class AtMostTimes(Need):
    """At most so many times the figure of `peer`; for what less of is better."""

    factor: float
    peer: str

    def __str__(self) -> str:
        return f"≤ {self.factor:g}x {self.peer}"

    def judge(self, found: Findings, name: str) -> tuple[bool, str]:
        """See `Need.judge`."""
        quotient = found.times(name, self.peer)
        return quotient <= self.factor, _times(quotient, self.factor)


@dataclass(frozen=True, slots=True)
class Limit(Need):
    """At most (or, where more is better, at least) so much, in the unit of the samples."""

    value: float
    shown: str
    #: The column that is meant; None for the median.
    title: str | None = None

    def __str__(self) -> str:
        return self.shown

    def judge(self, found: Findings, name: str) -> tuple[bool, str]:
        """See `Need.judge`."""
        row = found.row(name)
        value = row["median"] if self.title is None else row["extras"].get(self.title)
        if value is None:
            message = f"{name} has no {self.title}"
            raise NotMeasuredError(message)
        met = value >= self.value if self.title is None and found.more_is_better else value <= self.value
        return met, found.show(value, self.title)


@dataclass(frozen=True, slots=True)
class Flat(Need):
    """No row of ours worse than the one that is judged by more than a share of it."""

    share: float

    def __str__(self) -> str:
        return f"flat (none more than {self.share:.0%} worse)"

    def judge(self, found: Findings, name: str) -> tuple[bool, str]:
        """See `Need.judge`."""
        found.row(name)  # or there is nothing to compare with
        rows = [row["name"] for row in found.experiment["rows"] if row["ours"] and "median" in row]
        times = {row: found.times(row, name) for row in rows}
        worst = (min if found.more_is_better else max)(rows, key=times.__getitem__)
        away = 1 - times[worst] if found.more_is_better else times[worst] - 1
        return away <= self.share, f"{worst}: {away:.0%} worse"


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that is asked of one row of one experiment."""

    what: str
    experiment: str
    row: str
    need: Need


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a bar. `met` is None where it could not be judged, and `measured` says why."""

    bar: Bar
    met: bool | None
    measured: str

    @property
    def word(self) -> str:
        """Return it in one or two words."""
        return {True: "met", False: "missed", None: "not measured"}[self.met]

    def data(self) -> dict[str, Any]:
        """Return it as plain data."""
        bar = self.bar
        return {
            "what": bar.what,
            "experiment": bar.experiment,
            "row": bar.row,
            "bar": str(bar.need),
            "measured": self.measured,
            "met": self.met,
        }


_INTS = "ints one by one, capacity {}"

BARS: Final[tuple[Bar, ...]] = (
    Bar(_INTS.format("1,024"), "throughput-1024", _OURS, Times(20, _QUEUE)),
    Bar(_INTS.format("1,024"), "throughput-1024", _OURS, Times(10, "faster-fifo")),
    Bar(_INTS.format("1,024"), "throughput-1024", _OURS, Times(4, _ZMQ)),
    Bar(_INTS.format("1,024"), "throughput-1024", _OURS, Times(8, "iceoryx2")),
    Bar(_INTS.format("64"), "throughput-64", _OURS, Times(6, _QUEUE)),
    Bar(_INTS.format("64"), "throughput-64", _OURS, Times(1.5, _ZMQ)),
    Bar("small tuples one by one, capacity 1,024", "objects-1024", _OURS, Times(1)),
    Bar("ints in slices of 1,000", "slices-1000", _OURS, Times(1)),
    Bar("1 KiB bytes, object channel", "bytes-1KiB", _OURS, Times(5, _QUEUE)),
    Bar("1 KiB bytes, bytes lane", "bytes-1KiB", _BYTES_LANE, Times(2)),
    Bar("1 MiB bytes, object channel", "bytes-1MiB", _OURS, Times(5, _QUEUE)),
    Bar("1 MiB bytes, bytes lane", "bytes-1MiB", _BYTES_LANE, Times(1, "iceoryx2")),
    Bar("1 MiB bytes, bytes lane", "bytes-1MiB", _BYTES_LANE, Times(2, "faster-fifo")),
    Bar("ping-pong, both idle between", "ping-pong-idle", _OURS, AtMostTimes(1.2, _PIPE)),
    Bar("ping-pong, spin then park", "ping-pong", "steady-mp, spin then park", Limit(10e-6, "≤ 10 µs")),
    Bar("performant pipeline", "performant", _OURS, Limit(300e6, "≥ 300 M messages/s")),
    Bar("performant pipeline", "performant", _OURS, Times(0.5, _ALONE)),
    Bar("restart, numpy imported", "restart", _OURS, Limit(12e-3, "≤ 12 ms")),
    Bar("restart with a warm spare", "restart", "steady-mp, warm spare", Limit(4e-3, "≤ 4 ms")),
    Bar("100 idle actors, CPU together", "idle", _OURS, Limit(0.01, "≤ 1 % of a core")),
    Bar("100 idle actors, private memory each", "idle", _OURS, Limit(8 << 20, "≤ 8 MiB", "private memory each")),
    Bar("100 idle actors, all started", "idle", _OURS, Limit(3.0, "≤ 3 s", "all started")),
    Bar("a hop, 2 to 8 actors in a row", "size-actors", "2 actors", Flat(0.2)),
    Bar("a turn, 1 to 64 channels", "size-channels", "1 channel", Flat(0.2)),
    Bar("a turn, capacity 16 to 65,536", "size-capacity", "capacity 16", Flat(0.2)),
    Bar("telemetry on against off", "telemetry", "steady-mp, telemetry on", Times(0.98, "steady-mp, telemetry off")),
)


def judge(experiments: Sequence[dict[str, Any]], bars: Sequence[Bar] = BARS) -> list[Verdict]:
    """Return the verdict on each of `bars` that belongs to one of these experiments of a run."""
    by_name = {one["name"]: Findings(one) for one in experiments}
    verdicts = []
    for bar in bars:
        if bar.experiment not in by_name:
            continue
        try:
            met, measured = bar.need.judge(by_name[bar.experiment], bar.row)
        except NotMeasuredError as error:
            verdicts.append(Verdict(bar, None, str(error)))
        else:
            verdicts.append(Verdict(bar, met, measured))
    return verdicts
