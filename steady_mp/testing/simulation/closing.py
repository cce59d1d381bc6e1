"""The end of a simulated run: what its memory says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steady_mp.errors import ExitCode
from steady_mp.state import decode, plain
from steady_mp.supervisor.report import ActorReport, ChannelReport, Report
from steady_mp.testing.simulation.outcome import Outcome

if TYPE_CHECKING:
    from steady_mp.testing.simulation.player import Player
    from steady_mp.testing.simulation.world import World


def conclude(world: World) -> Outcome:
    """Read what a run came to from its memory."""
    saved = {player.name: _saved(player) for player in world.players}
    return Outcome(
        seed=world.seed,
        states={player.name: _kept(player, saved[player.name]) for player in world.players},
        lines=world.lines,
        crashes=list(world.struck),
        report=_report(world, saved),
        trace=world.trace,
        steps=world.steps.count,
        switches=len(world.disturbed),
    )


def _report(world: World, saved: dict[str, dict[int, Any]]) -> Report:
    given_up = any(player.given_up for player in world.players)
    channels = ChannelReport.of_all(world.plan, world.channels)
    actors = [
        ActorReport(
            name=player.name,
            generation=player.generation,
            restarts=player.generation - 1,
            deaths=list(player.deaths),
            finished=not player.given_up,
            state=_shown(list(saved[player.name].values())),
        )
        for player in world.players
    ]
    return Report(
        graph=world.plan.graph,
        clean=not given_up,
        why=[*world.why, *ChannelReport.queued(channels)] if given_up else [],
        exit_code=ExitCode.GAVE_UP if given_up else ExitCode.DRAINED,
        wall_time=world.elapsed(),
        actors=actors,
        channels=channels,
    )


def _saved(player: Player) -> dict[int, Any]:
    """Return the states of the last commit by their index, in the order of their declaration."""
    journal = player.control.journal()
    if not journal.snapshot_length:
        return {}
    saved = player.snapshots.read(journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
    return dict(sorted(decode(saved).items()))


def _kept(player: Player, saved: dict[int, Any]) -> Any:  # noqa: ANN401 - whatever the actor keeps
    """Return what `Outcome.states` has of an actor: as many as it was handed, whichever of them it has acquired."""
    handed = sorted(player.plan.states or ())
    values = [saved.get(index) for index in handed]
    return values if len(values) > 1 else next(iter(values), None)


def _shown(values: list[Any]) -> Any:  # noqa: ANN401 - plain data
    shown = [plain(value) for value in values]
    return (shown[0] if len(shown) == 1 else shown) if shown else None
