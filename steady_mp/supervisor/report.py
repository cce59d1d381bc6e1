"""The report: what a run came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steady_mp.errors import ExitCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorReport:
    """One actor at the end of its run. `state` is the last committed state as plain data."""

    name: str
    generation: int
    restarts: int
    deaths: list[str]
    finished: bool
    state: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """One channel at the end of its run, in messages committed."""

    name: str
    from_actor: str
    to_actor: str
    capacity: int
    sent: int
    taken: int
    in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run came to. `why` says, for one that was not clean, who refused and what is still queued."""

    graph: str
    clean: bool
    why: list[str]
    exit_code: ExitCode
    wall_time: float
    actors: list[ActorReport]
    channels: list[ChannelReport]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, with `from` and `to` for a channel's actors."""
        data = asdict(self)
        data["exit_code"] = int(self.exit_code)
        for channel in data["channels"]:
            channel["from"] = channel.pop("from_actor")
            channel["to"] = channel.pop("to_actor")
        return data
