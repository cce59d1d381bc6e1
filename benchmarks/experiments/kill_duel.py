"""Kill duel: see `benchmarks.duel` for what happens in it, and why it is fair."""

from __future__ import annotations

import functools
import statistics
from typing import TYPE_CHECKING, Any, Final

from benchmarks.duel import WEDGED, ours
from benchmarks.duel import peers as theirs
from benchmarks.duel.referee import KILLS, Script
from benchmarks.experiment import Effort, Experiment, Outcome
from benchmarks.figures import COUNT, MILLISECONDS
from benchmarks.peer import peers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.duel.referee import Result

_SEED: Final = 20_261
_COLUMNS: Final = (
    ("runs", COUNT),
    ("wedged", COUNT),
    ("crashed", COUNT),
    ("runs with loss", COUNT),
    ("messages lost", COUNT),
    ("messages doubled", COUNT),
    ("time to the next message", MILLISECONDS),
)
#: Its queue is the same as that of the other row; only the way to read it differs.
_LEFT_OUT: Final = "faster-fifo, get_many"


class _Contestant:
    def __init__(self, name: str, note: str, fight: Callable[[Script], Result], *, ours: bool, out: str | None) -> None:
        self.name = name
        self.note = note
        self.ours = ours
        self.out = out
        self.fight = fight
        self.results: list[Result] = []

    def row(self) -> dict[str, Any]:
        """Return the row as plain data."""
        row: dict[str, Any] = {"name": self.name, "ours": self.ours, "note": self.note}
        if self.out is not None:
            return {**row, "out": self.out}
        return {**row, "cells": cells(self.results)}


def cells(results: Sequence[Result]) -> list[float | None]:
    """Return what the runs of a contestant come to, in the order of the columns."""
    ended = [one for one in results if not one.wedged and one.crashed is None]
    times = [nanoseconds / 1e9 for one in results for nanoseconds in one.nanoseconds]
    return [
        len(results),
        sum(one.wedged for one in results),
        sum(one.crashed is not None for one in results),
        sum(one.lost > 0 for one in ended),
        sum(one.lost for one in ended),
        sum(one.doubled for one in ended),
        statistics.median(times) if times else None,
    ]


class KillDuel(Experiment):
    """The same kills for everybody."""

    @property
    def name(self) -> str:
        """See `Experiment.name`."""
        return "kill-duel"

    def run(self, effort: Effort, among: Callable[[str], bool], watch: Callable[[str], None]) -> Outcome:
        """See `Experiment.run`."""
        contestants = [one for one in _contestants() if among(one.name)]
        for number in range(effort.duels):
            script = Script.drawn(_SEED + number)
            for one in contestants:
                if one.out is not None:
                    continue
                watch(f"{self.name}: run {number + 1} of {effort.duels}: {one.name}")
                try:
                    one.results.append(one.fight(script))
                except Exception as error:  # noqa: BLE001 - peers may raise whatever they like
                    one.out = f"{type(error).__name__}: {error}"
        data = {
            "kind": "board",
            "name": self.name,
            "title": "the same SIGKILLs and restarts for every queue",
            "scale": (
                f"{KILLS} kills a run, seed {_SEED}; wedged: no message for {WEDGED:g} s with both processes up; "
                "lost and doubled in the runs that came to their end"
            ),
            "columns": [{"title": title, **unit.data()} for title, unit in _COLUMNS],
            "rows": [one.row() for one in contestants],
        }
        return Outcome(data, [f"{self.name} without {one.name}: {one.out}" for one in contestants if one.out])


def _contestants() -> list[_Contestant]:
    found = [_Contestant("steady-mp", "restarted by the supervisor", ours.fight, ours=True, out=None)]
    found += [
        _Contestant(peer.name, peer.note, functools.partial(theirs.fight, peer), ours=False, out=peer.missing())
        for peer in peers()
        if peer.name != _LEFT_OUT
    ]
    return found


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    return [KillDuel()]
