"""World: the scheduler of a simulation, its clock, and what the supervisor does in a real run."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Final

from steady_mp.channel.kinds import format_channel, map_channel
from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.testing.simulation.closing import conclude
from steady_mp.testing.simulation.dice import STEP, Crash, Dice, Switch
from steady_mp.testing.simulation.explain import Waits
from steady_mp.testing.simulation.outcome import SimulationFailed
from steady_mp.testing.simulation.player import Player, Status
from steady_mp.testing.simulation.steps import Steps
from steady_mp.testing.simulation.surroundings import Output, surroundings
from steady_mp.testing.simulation.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from greenlet import greenlet

    from steady_mp.graph import Topology
    from steady_mp.memory.control import Cursor
    from steady_mp.testing.simulation.outcome import Outcome

_START: Final = 1000.0


class _Supervisor:
    """The doorbell of the supervisor."""

    def __init__(self, world: World) -> None:
        self.rung = False
        self._world = world

    def ring(self) -> None:
        """Ask it to look around."""
        self._world.flush()
        self.rung = True


class World:
    """One simulated run."""

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        topology: Topology,
        *,
        seed: int,
        crashes: int | Iterable[Crash],
        only: frozenset[int] | None,
        shutdown_after: float | None,
        max_steps: int,
    ) -> None:
        """Lay out the memory of `topology`; `run` lets it live."""
        self.plan = topology.plan()
        self.seed = seed
        names = [actor.name for actor in self.plan.actors]
        self.dice = Dice(seed, names, crashes if isinstance(crashes, int) else 0)
        planned = self.dice.crashes if isinstance(crashes, int) else list(crashes)
        #: A seed's crashes strike in any case, at the latest while the graph ends; named ones where they are named.
        self._insist = isinstance(crashes, int)
        switches: Iterable[Switch] = self.dice.switches()
        if only is not None:
            last = max(only, default=-1)
            # Behind the last step that there may be, none is looked for: to `last` it may be very far.
            until = itertools.takewhile(lambda switch: switch.number <= last and switch.step <= max_steps, switches)
            switches = (switch for switch in until if switch.number in only)
        self.steps = Steps(self.dice.tick, switches, planned, max_steps)
        self.steps.jump(_START)
        self.steps.connect(on_switch=self._disturb, on_crash=self._crash, on_limit=self._exhaust)
        self.channels = [map_channel(each, size=layout.channel_bytes(each.ring_bytes)) for each in self.plan.channels]
        for mapping, channel in zip(self.channels, self.plan.channels, strict=True):
            format_channel(mapping, channel)
        self._run = Mapping(None, layout.PAGE)
        self.run_words = self._run.words
        self.run_words[layout.START_NS] = int(_START * 1e9)
        self.supervisor = _Supervisor(self)
        self.trace = Trace(self.plan)
        self.lines: list[tuple[str, str]] = []
        self._output = Output(self)
        self.struck: list[Crash] = []
        self.disturbed: list[int] = []
        self.tracebacks: dict[str, str] = {}
        #: Who was given up, and of what.
        self.why: list[str] = []
        self.players = [
            Player(self, index, packed, policy)
            for index, (packed, policy) in enumerate(zip(topology.packed, topology.policies, strict=True))
        ]
        self.current = self.players[0]
        self._shutdown_timeout = topology.shutdown_timeout
        self._shutdown_at = None if shutdown_after is None else _START + shutdown_after
        self._deadline: float | None = None
        self._switch: Switch | None = None
        self._failure: SimulationFailed | None = None
        self._hub: greenlet
        for crash in planned:
            if crash.actor or crash.point != STEP:
                self._player(crash.actor).plan_crash(crash)

    def _player(self, name: str) -> Player:
        for player in self.players:
            if player.name == name:
                return player
        names = ", ".join(player.name for player in self.players)
        message = f"no actor {name!r} in graph {self.plan.graph!r}: there are {names}"
        raise ConfigurationError(message)

    # Running

    def run(self) -> Outcome:
        """Let it live until all actors have finished. Raises SimulationFailed."""
        from greenlet import getcurrent  # noqa: PLC0415 - an extra that only simulations need

        self._hub = getcurrent()
        with surroundings(self, self._output):
            try:
                while self._failure is None and any(player.status is not Status.OVER for player in self.players):
                    self._go_on()
            finally:
                with contextlib.ExitStack() as ends:  # all of them, whatever one of them raises
                    for player in reversed(self.players):
                        ends.callback(player.end)
        if self._failure is not None:
            raise self._failure
        return conclude(self)

    def greenlet(self, function: Callable[[], None]) -> greenlet:
        """Make a greenlet that comes back here at its end."""
        from greenlet import greenlet as make  # noqa: PLC0415

        return make(function, self._hub)

    def _go_on(self) -> None:
        self._look_around()
        now = self.steps()
        if self._deadline is not None and now > self._deadline:
            self._refuse()
            return
        if self._shutdown_at is not None and now >= self._shutdown_at:
            self._shutdown_at = None
            self._drain("the simulation")
        ready = [player for player in self._in_turn() if player.is_ready(now)]
        if not ready:
            self._pass_time()
            return
        player = self._choose(ready)
        self.current = player
        self.steps.resumed(player.steps_to_crash())
        player.go_on()
        self.steps.pause()
        if player.ending is not None:
            self._ended(player, *player.ending)

    def _in_turn(self) -> list[Player]:
        """Return the players, those behind the last one first."""
        following = self.current.index + 1
        return self.players[following:] + self.players[:following]

    def _choose(self, ready: list[Player]) -> Player:
        switch, self._switch = self._switch, None
        if switch is not None:
            others = [player for player in ready if player is not self.current]
            if others:
                return others[switch.choice % len(others)]
        return ready[self.dice.pick(len(ready))]

    def _pass_time(self) -> None:
        """Everybody waits: see whether rightly so, and let time pass until the next timer."""
        for player in self.players:
            if player.is_overslept():
                self._fail("lost wake-up", f"{player.name} sleeps, and what it waits for is there already")
                return
        timers = [player.until for player in self.players if player.status is not Status.OVER]
        moments = [moment for moment in (*timers, self._shutdown_at) if moment is not None]
        if self._deadline is not None and (min(moments) > self._deadline if moments else self._somebody_refuses()):
            self._refuse()
        elif not moments:
            asleep = [player.index for player in self.players if player.status is Status.ASLEEP]
            text = f"all wait for ever:\n{Waits(self.plan, self.channels).explain(asleep)}{self._refusals(asleep)}"
            self._fail("deadlock", text)
        else:
            self.steps.jump(min(moments))

    def elapsed(self) -> float:
        """Return the virtual seconds since the start."""
        return self.steps() - _START

    # From the players

    def leave(self) -> None:
        """Let the others go on; returns when it is this player's turn again."""
        self._hub.switch()

    def flush(self) -> None:
        """Empty the store buffer of whoever is at work."""
        self.current.drain()

    def note(self, actor: str, what: str, detail: str | tuple[Cursor, ...] = "") -> None:
        """Add to the trace."""
        self.trace.note(self.steps.count, self.elapsed(), actor, what, detail)

    def strike(self, player: Player, crash: Crash, where: str) -> None:
        """Take note of a crash that strikes now."""
        self.struck.append(crash)
        self.note(player.name, "killed", where)

    # At a step

    def _disturb(self, switch: Switch | None, what: str) -> None:
        if switch is not None:
            now = self.steps()
            for player in self.players:
                if player is not self.current and player.is_ready(now):
                    break
            else:
                return
            self.disturbed.append(switch.number)
            self.note(self.current.name, "switch", f"before it {what}")
        self._switch = switch
        self.leave()

    def _crash(self, what: str) -> None:
        crash = Crash(self.current.name, STEP, self.current.steps_taken())
        self.strike(self.current, crash, f"before it {what}")

    def _exhaust(self) -> None:
        text = (
            f"it still runs after {self.steps.count} steps and {self.elapsed():.3f} virtual seconds; "
            "end it with shutdown_after, or allow more max_steps"
        )
        self.give_up("endless", text)

    def give_up(self, kind: str, text: str) -> None:
        """End the run here, in the middle of somebody's life."""
        self._fail(kind, text)
        self.leave()

    # What the supervisor does

    def _look_around(self) -> None:
        if self.supervisor.rung:
            self.supervisor.rung = False
            for player in self.players:
                if player.control.words[layout.REQUESTED]:
                    self._drain(player.name)

    def _drain(self, who: str) -> None:
        if self._deadline is not None:
            return
        self.run_words[layout.SHUTDOWN] = 1
        self._deadline = self.steps() + self._shutdown_timeout
        self.note(who, "shutdown requested")
        self._ring_all()
        self._crash_while_it_ends()

    def _crash_while_it_ends(self) -> None:
        """See that each seed has its crashes, though nobody knew how long the run would be."""
        if self._insist:
            left = self.steps.drop_crashes() + sum(player.drop_crashes() for player in self.players)
            self.steps.crash_soon(left)

    def _ring_all(self) -> None:
        for player in self.players:
            player.rung = True

    def _ended(self, player: Player, how: str, why: str) -> None:
        player.ending = None
        self._output.end(player.name, killed=how == "killed")
        journal = player.recover()
        self._ring_all()
        self.supervisor.rung = True
        player.rung = False
        if journal.finished:
            player.status = Status.OVER
            self.note(player.name, "finished")
            self._crash_while_it_ends()  # a graph may end without that anybody asks for it
            return
        player.status = Status.DOWN
        player.until = self.steps()
        if how == "killed":
            player.deaths.append(why)
            player.until += self.dice.pause
        elif how in {"replayed", "recycled"}:
            self.note(player.name, "replays" if how == "replayed" else "is recycled", why)
        else:
            self._died(player, why, hopeless=how == "hopeless")

    def _died(self, player: Player, why: str, *, hopeless: bool) -> None:
        player.deaths.append(why)
        self.note(player.name, "died", why)
        pause = None if hopeless else player.failures.died(innocent=player.has_moved())
        if pause is not None:
            player.until = self.steps() + pause
            return
        player.status = Status.OVER
        player.given_up = True
        given_up = f"{player.name} was given up after life {player.generation}: {why}"
        self.why.append(given_up)
        if player.policy.give_up == "isolate":
            for end in player.plan.ends:
                closed = layout.TX_CLOSED if end.sends else layout.RX_CLOSED
                self.channels[end.channel].words[closed] = 1
            self._ring_all()
        else:
            last = self.tracebacks.get(player.name, "").rstrip()
            self._fail("gave up", f"{given_up}\n{last}".rstrip())

    # The end

    def _somebody_refuses(self) -> bool:
        return any(player.control.refusal for player in self.players if player.status is not Status.OVER)

    def _refuse(self) -> None:
        left = [player.index for player in self.players if player.status is not Status.OVER]
        names = ", ".join(self.players[index].name for index in left)
        text = f"{Waits(self.plan, self.channels).explain(left)}{self._refusals(left)}"
        self._fail("refused", f"{names} did not stop within {self._shutdown_timeout:g} s:\n{text}")

    def _refusals(self, players: Iterable[int]) -> str:
        """Return a line for each of them whose veto has kept it from its end."""
        found = [(self.players[index].name, self.players[index].control.refusal) for index in players]
        return "".join(f"\n  {name} refused: {refusal}" for name, refusal in found if refusal)

    def _fail(self, kind: str, text: str) -> None:
        self._failure = self.failed(kind, text)

    def failed(self, kind: str, text: str) -> SimulationFailed:
        """Make the failure of this run."""
        failure = SimulationFailed(kind, text)
        failure.seed = self.seed
        failure.trace = self.trace
        failure.crashes = list(self.struck)
        failure.switches = list(self.disturbed)
        return failure
