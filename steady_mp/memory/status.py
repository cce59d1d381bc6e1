"""What the supervisor tells every reader of the run directory, beside the shared words.

``status.json`` says how the run and each actor stand; it is replaced as a whole at each change. ``events.jsonl``
holds the latest events, one JSON object a line. Both are made by the supervisor alone, so the counters in them
outlive every actor and never fall.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from steady_mp.memory.files import replace
from steady_mp.memory.owner import Owner

if TYPE_CHECKING:
    from pathlib import Path

STATUS_FILE: Final = "status.json"
EVENTS_FILE: Final = "events.jsonl"

#: What comes of reading files of a run that are not what they should be.
UNREADABLE: Final = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)

#: Why an actor had to start again, as a closed list: a thousand restarts make no further one.
CAUSES: Final = (
    "SIGKILL",
    "SIGTERM",
    "SIGSEGV",
    "SIGABRT",
    "signal",
    "exception",
    "exit code",
    "out of memory",
    "stall",
    "stopped",
    "fork server",
    "chaos",
    "replay",
    "recycled",
)


@dataclass(slots=True, kw_only=True)
class ActorStatus:
    """One actor, as its supervisor sees it."""

    name: str
    status: str = "starting"
    generation: int = 0
    pid: int | None = None
    #: Ends of lives in the words of the supervisor; bounded, what is too much counts as "other".
    deaths: dict[str, int] = field(default_factory=dict)
    #: The same by `CAUSES`, with the restarts that were no death.
    causes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0))
    #: How often chaos has stopped it for a moment.
    freezes: int = 0
    alerts_raised: int = 0

    @property
    def restarts(self) -> int:
        """Lives that began after the first."""
        return max(0, self.generation - 1)


@dataclass(slots=True, kw_only=True)
class RunStatus:
    """A run, as its supervisor sees it."""

    graph: str
    pid: int
    version: str
    started: float
    actors: list[ActorStatus]
    phase: str = "running"
    refused: list[str] = field(default_factory=list)
    telemetry_restarts: int = 0
    #: Messages that were put aside so far, the dropped ones too; it never falls.
    dead_letters: int = 0
    url: str = ""
    #: Alerts raised by each channel, in the order of the topology.
    channel_alerts: list[int] = field(default_factory=list)
    #: With `pid`, who the supervisor is.
    namespace: int = 0
    born: int = 0

    @property
    def owner(self) -> Owner:
        """The supervisor, told apart from every other process that ever had its pid."""
        return Owner(self.namespace, self.pid, self.born)

    def to_json(self) -> str:
        """Write the status down."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunStatus:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        data["actors"] = [ActorStatus(**actor) for actor in data["actors"]]
        return cls(**data)


def read_status(directory: Path) -> RunStatus:
    """Read the status of a run. Raises OSError where the run has ended and is swept."""
    return RunStatus.from_json((directory / STATUS_FILE).read_text())


def write_status(directory: Path, status: RunStatus) -> None:
    """Replace the status of a run: a reader sees the old one or the new one."""
    replace(directory / STATUS_FILE, status.to_json().encode())


def read_events(directory: Path, most: int) -> list[dict[str, Any]]:
    """Return the latest events, oldest first; a line that is not whole yet is left out."""
    try:
        lines = (directory / EVENTS_FILE).read_bytes().splitlines()
    except OSError:
        return []
    events = []
    for line in lines[-most:]:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events
