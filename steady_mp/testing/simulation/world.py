"""World: the scheduler of a simulation, its clock, and what the supervisor does in a real run."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import random
import sys
from typing import TYPE_CHECKING, Any, Final

from steady_mp.channel.ring import Ring
from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.state import decode, plain
from steady_mp.supervisor.report import ActorReport, ChannelReport, Report
from steady_mp.testing.simulation.dice import STEP, Crash, Dice, Switch
from steady_mp.testing.simulation.explain import Waits
from steady_mp.testing.simulation.outcome import Outcome, SimulationFailed
from steady_mp.testing.simulation.player import Player, Status
from steady_mp.testing.simulation.steps import Steps
from steady_mp.testing.simulation.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from greenlet import greenlet

    from steady_mp.graph import Topology
    from steady_mp.memory.control import Cursor

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


class _Lines(io.TextIOBase):
    """Standard output and logging of all actors."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rest: dict[str, str] = {}

    def write(self, text: str) -> int:
        """Keep whole lines, with who wrote them."""
        name = self._world.current.name
        *lines, self._rest[name] = (self._rest.get(name, "") + text).split("\n")
        self._world.lines += [(name, line) for line in lines]
        return len(text)


class _Handler(logging.Handler):
    """Keeps what the actors log."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self._world.lines.append((self._world.current.name, self.format(record)))


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
        self._insist = isinstance(crashes, int)
        switches: Iterable[Switch] = self.dice.switches()
        if only is not None:
            last = max(only, default=-1)
            until = itertools.takewhile(lambda switch: switch.number <= last, switches)
            switches = (switch for switch in until if switch.number in only)
        self.steps = Steps(self.dice.tick, switches, planned, max_steps)
        self.steps.jump(_START)
        self.steps.connect(on_switch=self._disturb, on_crash=self._crash, on_limit=self._exhaust)
        self.channels = [Mapping(None, layout.channel_bytes(each.ring_bytes)) for each in self.plan.channels]
        for mapping, channel in zip(self.channels, self.plan.channels, strict=True):
            Ring.format(mapping, channel.capacity)
        self._run = Mapping(None, layout.PAGE)
        self.run_words = self._run.words
        self.run_words[layout.START_NS] = int(_START * 1e9)
        self.supervisor = _Supervisor(self)
        self.trace = Trace(self.plan)
        self.lines: list[tuple[str, str]] = []
        self.struck: list[Crash] = []
        self.disturbed: list[int] = []
        self.tracebacks: dict[str, str] = {}
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
            if crash.point != STEP:
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
        with self._surroundings():
            try:
                while self._failure is None and any(player.status is not Status.OVER for player in self.players):
                    self._go_on()
            finally:
                for player in self.players:
                    player.end()
        if self._failure is not None:
            raise self._failure
        return self._outcome()

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
        self.steps.resumed()
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
        if not moments:
            asleep = [player.index for player in self.players if player.status is Status.ASLEEP]
            text = "all wait for ever:\n" + Waits(self.plan, self.channels).explain(asleep)
            self._fail("deadlock", text)
        elif self._deadline is not None and min(moments) > self._deadline:
            self._refuse()
        else:
            self.steps.jump(min(moments))

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Give the actors dice, an output and a log of their own."""
        root = logging.getLogger()
        handlers, level, dice = root.handlers[:], root.level, random.getstate()
        root.handlers[:] = [_Handler(self)]
        root.setLevel(self.plan.log_level)
        random.seed(self.seed)
        out: Any = _Lines(self)
        before = sys.stdout
        sys.stdout = out
        try:
            yield
        finally:
            sys.stdout = before
            root.handlers[:] = handlers
            root.setLevel(level)
            random.setstate(dice)

    # From the players

    def leave(self) -> None:
        """Let the others go on; returns when it is this player's turn again."""
        self._hub.switch()

    def flush(self) -> None:
        """Empty the store buffer of whoever is at work."""
        self.current.drain()

    def note(self, actor: str, what: str, detail: str | tuple[Cursor, ...] = "") -> None:
        """Add to the trace."""
        self.trace.note(self.steps.count, self.steps() - _START, actor, what, detail)

    def strike(self, player: Player, crash: Crash, where: str) -> None:
        """Take note of a crash that strikes now."""
        self.struck.append(crash)
        self.note(player.name, "killed", where)

    # At a step

    def _disturb(self, switch: Switch | None, what: str) -> None:
        if switch is not None:
            now = self.steps()
            if not any(player.is_ready(now) for player in self.players if player is not self.current):
                return
            self.disturbed.append(switch.number)
            self.note(self.current.name, "switch", f"before it {what}")
        self._switch = switch
        self.leave()

    def _crash(self, what: str) -> None:
        self.strike(self.current, Crash("", STEP, self.steps.count), f"before it {what}")

    def _exhaust(self) -> None:
        text = (
            f"it still runs after {self.steps.count} steps and {self.steps() - _START:.3f} virtual seconds; "
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
        if self._insist:
            # So that each seed has its crashes, though nobody knew how long the run would be.
            left = self.steps.drop_crashes() + sum(player.drop_crashes() for player in self.players)
            self.steps.crash_soon(left)

    def _ring_all(self) -> None:
        for player in self.players:
            player.rung = True

    def _ended(self, player: Player, how: str, why: str) -> None:
        player.ending = None
        journal = player.recover()
        self._ring_all()
        self.supervisor.rung = True
        player.rung = False
        if journal.finished:
            player.status = Status.OVER
            self.note(player.name, "finished")
            return
        player.status = Status.DOWN
        player.until = self.steps()
        if how == "killed":
            player.deaths.append(why)
            player.until += self.dice.pause
        elif how == "replayed":
            self.note(player.name, "replays", why)
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
        if player.policy.give_up == "isolate":
            for end in player.plan.ends:
                closed = layout.TX_CLOSED if end.sends else layout.RX_CLOSED
                self.channels[end.channel].words[closed] = 1
            self._ring_all()
        else:
            last = self.tracebacks.get(player.name, "").rstrip()
            self._fail("gave up", f"{player.name} was given up after life {player.generation}: {why}\n{last}".rstrip())

    # The end

    def _refuse(self) -> None:
        left = [player.index for player in self.players if player.status is not Status.OVER]
        names = ", ".join(self.players[index].name for index in left)
        refusals = "".join(
            f"\n  {self.players[index].name} refused: {self.players[index].control.refusal}"
            for index in left
            if self.players[index].control.refusal
        )
        explained = Waits(self.plan, self.channels).explain(left)
        self._fail("refused", f"{names} did not stop within {self._shutdown_timeout:g} s:\n{explained}{refusals}")

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

    def _outcome(self) -> Outcome:
        states = {player.name: _states(player) for player in self.players}
        return Outcome(
            seed=self.seed,
            states={name: values[0] if len(values) == 1 else (values or None) for name, values in states.items()},
            lines=self.lines,
            crashes=list(self.struck),
            report=self._report(states),
            trace=self.trace,
            steps=self.steps.count,
            switches=len(self.disturbed),
        )

    def _report(self, states: dict[str, list[Any]]) -> Report:
        given_up = [player for player in self.players if player.given_up]
        actors = [
            ActorReport(
                name=player.name,
                generation=player.generation,
                restarts=player.generation - 1,
                deaths=list(player.deaths),
                finished=not player.given_up,
                state=_shown(states[player.name]),
            )
            for player in self.players
        ]
        channels = []
        for plan, mapping in zip(self.plan.channels, self.channels, strict=True):
            sent, taken = mapping.words[layout.TAIL], mapping.words[layout.HEAD]
            channels.append(
                ChannelReport(
                    name=plan.name,
                    from_actor=self.plan.actors[plan.producer].name,
                    to_actor=self.plan.actors[plan.consumer].name,
                    capacity=plan.capacity,
                    sent=sent,
                    taken=taken,
                    in_flight=sent - taken,
                )
            )
        return Report(
            graph=self.plan.graph,
            clean=not given_up,
            why=[f"{player.name} was given up after life {player.generation}" for player in given_up],
            exit_code=ExitCode.GAVE_UP if given_up else ExitCode.DRAINED,
            wall_time=self.steps() - _START,
            actors=actors,
            channels=channels,
        )


def _states(player: Player) -> list[Any]:
    """Return the states of the last commit, in the order of their declaration."""
    journal = player.control.journal()
    if not journal.snapshot_length:
        return []
    saved = player.snapshots.read(journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
    return [value for _, value in sorted(decode(saved).items(), key=lambda item: item[0])]


def _shown(values: list[Any]) -> Any:  # noqa: ANN401 - plain data
    shown = [plain(value) for value in values]
    return (shown[0] if len(shown) == 1 else shown) if shown else None
