"""The report: what a run came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from steady_mp.errors import SteadyError, in_words
from steady_mp.memory import layout
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.state import decode, plain
from steady_mp.supervisor.seat import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.errors import ExitCode
    from steady_mp.memory.mapping import Mapping
    from steady_mp.plan import Plan
    from steady_mp.supervisor.seat import Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorReport:
    """One actor at the end of its run. `state` is the last committed state as plain data."""

    name: str
    generation: int
    restarts: int
    deaths: list[str]
    finished: bool
    state: Any

    @classmethod
    def of(cls, seat: Seat) -> ActorReport:
        """Read one actor of a run whose lives are over."""
        return cls(
            name=seat.name,
            generation=seat.generation,
            restarts=max(0, seat.generation - 1),
            deaths=seat.deaths,
            finished=seat.status is Status.FINISHED,
            state=last_state(seat),
        )


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

    @classmethod
    def of_all(cls, plan: Plan, channels: Sequence[Mapping]) -> list[ChannelReport]:
        """Read the channels of a run."""
        reports = []
        for channel, mapping in zip(plan.channels, channels, strict=True):
            sent, taken = mapping.words[layout.TAIL], mapping.words[layout.HEAD]
            reports.append(
                cls(
                    name=channel.name,
                    from_actor=plan.actors[channel.producer].name,
                    to_actor=plan.actors[channel.consumer].name,
                    capacity=channel.capacity,
                    sent=sent,
                    taken=taken,
                    in_flight=sent - taken,
                )
            )
        return reports

    @staticmethod
    def queued(channels: Sequence[ChannelReport]) -> list[str]:
        """Say what is still queued."""
        return [f"{each.in_flight} messages are still queued in {each.name}" for each in channels if each.in_flight]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What chaos did to one actor: the deaths that it has caused, and how often it has stopped it for a moment."""

    kills: int = 0
    freezes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosReport:
    """What chaos did to a run. `rate`, `freeze` and `seed` are what was asked for, the rest is what happened.

    `exact` tells whether the graph's own check found the result right, and `wrong` what it found; None where
    nothing was checked.
    """

    rate: float
    freeze: float
    seed: int
    kills: int
    freezes: int
    actors: dict[str, Toll]
    exact: bool | None = None
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run came to. `why` says, for one that was not clean, who refused and what is still queued.

    `chaos` is None for a run without. `dead_letters` counts the messages that were put aside and not replayed, and
    `letters` is the folder where they are, or empty.
    """

    graph: str
    clean: bool
    why: list[str]
    exit_code: ExitCode
    wall_time: float
    actors: list[ActorReport]
    channels: list[ChannelReport]
    chaos: ChaosReport | None = None
    #: Messages that were put aside and not replayed, and the folder where they are.
    dead_letters: int = 0
    letters: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, with `from` and `to` for a channel's actors."""
        data = asdict(self)
        data["exit_code"] = int(self.exit_code)
        for channel in data["channels"]:
            channel["from"] = channel.pop("from_actor")
            channel["to"] = channel.pop("to_actor")
        return data


def last_state(seat: Seat) -> Any:  # noqa: ANN401 - plain data
    """Read an actor's last committed state as plain data: one state as itself, several as a list."""
    journal = seat.control.journal()
    if not journal.snapshot_length:
        return None
    slots = SnapshotSlots(seat.snapshot_stem)
    try:
        snapshot = slots.read(journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
        values = [plain(value) for _, value in sorted(decode(snapshot).items())]
    except SteadyError as error:
        return f"unreadable: {error}"
    except OSError as error:
        return f"unreadable: {in_words(error)}"
    finally:
        slots.close()
    return values[0] if len(values) == 1 else values
