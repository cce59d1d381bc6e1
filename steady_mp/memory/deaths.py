"""Death reports: one file for each end of a life, written by the supervisor and read by `steady-mp why`.

A report is replaced as a whole, so whoever reads it finds all of it or nothing. Of each actor the first one and the
latest `MOST_LATEST` stay.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from steady_mp.memory.files import replace

if TYPE_CHECKING:
    from pathlib import Path

#: Reports of one actor that stay, besides the first.
MOST_LATEST: Final = 20
#: Characters of a text in a report, and lines of the log.
LONGEST_TEXT: Final = 16_000
MOST_LINES: Final = 50
#: Ends that are no failure of the actor's.
PLANNED: Final = frozenset({"finished", "end of the run", "replay", "recycled", "chaos"})

_NAME: Final = re.compile(r"actor-(?P<actor>\d+)\.died-(?P<generation>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeathReport:
    """How one life of one actor came to its end."""

    actor: str
    generation: int
    pid: int | None
    #: Seconds since 1970.
    at: float
    #: In the words of the log, and how that is known or where it was.
    cause: str
    detail: str
    #: One of `status.CAUSES`, "finished" or "end of the run".
    kind: str
    #: Exit code, or minus the signal; None where nobody could tell.
    status: int | None
    #: Of the exception, as Python prints it.
    traceback: str = ""
    #: All stacks of the process: at a fatal signal, or when it was stuck.
    stack: str = ""
    #: {"channel": name, "first": position, "last": position, "value": repr of the last one}
    in_hand: dict[str, Any] | None = None
    #: The last lines of its log.
    log: list[str] = field(default_factory=list)
    #: Seconds that it lived, seconds of processor time, and the most memory that it had, in bytes; None for unknown.
    uptime: float | None = None
    cpu: float | None = None
    peak: int | None = None
    #: What the next life begins with.
    commit: int = 0
    #: What followed.
    then: str = ""

    @property
    def is_planned(self) -> bool:
        """Whether it is no failure of the actor's."""
        return self.kind in PLANNED

    def to_json(self) -> str:
        """Write the report down."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DeathReport:
        """Read what `to_json` wrote. Raises ValueError or TypeError for anything else."""
        return cls(**json.loads(text))


def report_file(actor: int, generation: int) -> str:
    """Name of the file of a report."""
    return f"actor-{actor}.died-{generation}"


def write_report(directory: Path, actor: int, report: DeathReport) -> None:
    """Write or replace a report, and drop those that are too many. Raises OSError when the file system is full."""
    replace(directory / report_file(actor, report.generation), report.to_json().encode())
    generations = sorted(generation for index, generation in _found(directory) if index == actor)
    for generation in generations[1:-MOST_LATEST]:
        (directory / report_file(actor, generation)).unlink(missing_ok=True)


def read_reports(directory: Path) -> list[DeathReport]:
    """Return all reports of a run, the oldest first; one that can't be read is left out."""
    reports = []
    for actor, generation in sorted(_found(directory)):
        with suppress(OSError, ValueError, TypeError):
            reports.append(DeathReport.from_json((directory / report_file(actor, generation)).read_text()))
    return sorted(reports, key=lambda report: report.at)


def report_files(directory: Path) -> list[Path]:
    """Return the files of all reports of a run, those of one actor in the order of its lives."""
    return [directory / report_file(actor, generation) for actor, generation in sorted(_found(directory))]


def _found(directory: Path) -> list[tuple[int, int]]:
    try:
        names = [_NAME.fullmatch(entry.name) for entry in directory.iterdir()]
    except OSError:
        return []
    return [(int(name["actor"]), int(name["generation"])) for name in names if name is not None]


def cut(text: str, most: int = LONGEST_TEXT) -> str:
    """Return a text of at most `most` characters, without its middle where it is longer."""
    if len(text) <= most:
        return text
    mark = f"\n… {len(text) - most:,} characters left out …\n"
    head = most // 4
    return text[:head] + mark + text[len(text) - most + head + len(mark) :]
