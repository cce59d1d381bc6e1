"""The verdict: after a run with chaos, the target's own `check_report` judges what came out.

It stands in the target's module beside `build_graph`, takes the run's `Report`, and returns a list of texts: what is
wrong with the result, nothing where it is exactly what it had to be.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING

from steady_mp.cli.target import CHECK, describe
from steady_mp.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from steady_mp import Report
    from steady_mp.cli.target import Target


def refuse_unfit(target: Target) -> None:
    """Refuse a check that can't be called with a report, before anything has run for nothing."""
    if target.check is None:
        return
    name = f"{target.module}:{CHECK}"
    if not callable(target.check):
        raise ConfigurationError(f"{name} is no function, it is of type {type(target.check).__name__}")
    try:
        signature = inspect.signature(target.check)
    except ValueError:  # a builtin that can't say what it takes
        return
    try:
        signature.bind("report")
    except TypeError as error:
        raise ConfigurationError(f"{name} can't be called as {CHECK}(report): {error}") from None


def judge(report: Report, target: Target) -> Report:
    """Return the report with what the target's check found in it.

    Only a run with chaos is judged, and only one that has drained: where something is still queued, no result is due.
    """
    if report.chaos is None or not report.clean or target.check is None:
        return report
    wrong = _ask(report, target)
    chaos = dataclasses.replace(report.chaos, exact=not wrong, wrong=wrong)
    if not wrong:
        return dataclasses.replace(report, chaos=chaos)
    why = [*report.why, *wrong]
    return dataclasses.replace(report, chaos=chaos, clean=False, exit_code=ExitCode.WRONG_RESULT, why=why)


def _ask(report: Report, target: Target) -> list[str]:
    name = f"{target.module}:{CHECK}"
    assert callable(target.check)  # noqa: S101 - `refuse_unfit` has seen to that before the start
    try:
        found = target.check(report)
    except Exception as error:  # noqa: BLE001 - somebody else's code can raise anything
        return [f"{name} raised {describe(error)}"]
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        return [f"{name} returned {found!r} and no list of texts"]
    return list(found)
