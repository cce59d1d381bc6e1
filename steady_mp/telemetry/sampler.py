"""The sampler: looks at the shared words of a run, and at its processes, without disturbing either.

Everything is mapped read-only. A word is read in one go; words that belong together may be one store
apart, and what that could do to a figure is bounded where the figure is made.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from steady_mp.cycles import blocked_cycles, moves_of
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.owner import Owner
from steady_mp.memory.standing import Halt, halt_of, is_debugged, seconds_in_its_code
from steady_mp.memory.status import EVENTS_FILE, STATUS_FILE, RunStatus, read_events, read_status
from steady_mp.plan import PLAN_FILE, RUN_FILE, Plan, actor_file, channel_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from steady_mp.cycles import Cycle

#: Events that are shown.
MOST_EVENTS: Final = 100
#: Seconds between two looks at how big the run directory is.
_MEASURE: Final = 5.0
_NS: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorSample:
    """The words of one actor, and what the system says of its process."""

    pid: int
    generation: int
    phase: int
    commits: int
    turns: int
    parks: int
    snapshot_bytes: int
    snapshot_seconds: float
    #: Seconds that this life waited, the present wait included.
    waited: float
    #: Seconds of waits as far as they are added up, in all lives; never falls.
    waited_before: float
    #: Position of the full end that it waits for, or None.
    blocked_end: int | None
    #: It has a process, as far as can be known.
    lives: bool
    #: Its behavior has returned, by its own last commit.
    finished: bool
    #: Seconds of processor time of this life; None when there is no process, or none that can be asked about.
    cpu: float | None
    #: Resident bytes; None when the process can't be asked about, since it is in another container.
    rss: int | None
    halt: Halt
    #: Seconds in its own code without having looked up; 0 while it waits.
    in_code: float
    #: A debugger holds it, or it waits for one.
    debugged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSample:
    """The words of one channel."""

    sent: int
    taken: int
    in_flight: int
    bytes: int
    blocked_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A whole run at one moment."""

    run: str
    at: float
    wall: float
    #: Seconds since the run began, whatever was done to the time of day meanwhile.
    uptime: float
    actors: tuple[ActorSample, ...]
    channels: tuple[ChannelSample, ...]
    #: Cycles in which everybody waits for room, each with what any movement would change.
    cycles: dict[Cycle, tuple[tuple[int, int], ...]]
    status: RunStatus
    events: list[dict[str, Any]]
    directory_bytes: int
    supervised: bool
    #: The supervisor is, and is stopped (SIGSTOP): nobody is restarted meanwhile.
    halted: bool
    #: The same of the fork server.
    forks_halted: bool


class _Process:
    """What psutil knows of one actor's present life."""

    __slots__ = ("_pid", "_process", "parent")

    def __init__(self) -> None:
        self._pid = 0
        #: The fork server, while there is a process.
        self.parent: int | None = None
        self._process: psutil.Process | None = None

    def look(self, pid: int | None) -> tuple[float | None, int, Halt]:
        """Return processor seconds, resident bytes and whether it stands still; None for no process.

        One that has died and was not waited for is none: its fork server may stand still.
        """
        self.parent = None
        if not pid:
            return None, 0, Halt()
        try:
            if pid != self._pid or self._process is None:
                self._process = psutil.Process(pid)
                self._pid = pid
            with self._process.oneshot():
                self.parent = self._process.ppid()
                if self._process.status() == psutil.STATUS_ZOMBIE:
                    return None, 0, Halt()
                times = self._process.cpu_times()
                return times.user + times.system, self._process.memory_info().rss, halt_of(pid)
        except (psutil.Error, OSError):
            self._process = None
            return None, 0, Halt()


class Sampler:
    """Maps one run and samples it. A fresh one goes on where a dead one stood: all counters are in the run."""

    def __init__(
        self,
        directory: Path,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Map the run in `directory`. Raises OSError where there is none."""
        self.directory = directory
        self.plan = Plan.from_json((directory / PLAN_FILE).read_text())
        self._clock = clock
        self._wall = wall
        self._status = read_status(directory)
        self._stamps: dict[str, tuple[int, int]] = {}
        self._events: list[dict[str, Any]] = []
        self._maps: list[Mapping] = []
        self._run = self._map(RUN_FILE)
        self._channels = [self._map(channel_file(index)) for index in range(len(self.plan.channels))]
        self._controls = [self._map(actor_file(index, "control")) for index in range(len(self.plan.actors))]
        self._processes = [_Process() for _ in self.plan.actors]
        self._supervisor = self._status.owner if self._status.born else Owner.of(self._status.pid)
        #: A pid in its files means somebody else here.
        self._is_foreign = self._supervisor.is_foreign
        self._size = 0
        self._measured = float("-inf")

    def _map(self, name: str) -> memoryview:
        mapping = Mapping(self.directory / name, read_only=True)
        self._maps.append(mapping)
        return mapping.words

    def sample(self) -> Sample:
        """Look once."""
        at = self._clock()
        self._read_files()
        actors = tuple(self._sample_actor(index, at) for index in range(len(self._controls)))
        return Sample(
            run=self.directory.name,
            at=at,
            wall=self._wall(),
            uptime=self._uptime(at),
            actors=actors,
            channels=tuple(self._sample_channel(index) for index in range(len(self._channels))),
            cycles={
                cycle: moves_of(self.plan, cycle, self._channels)
                for cycle in blocked_cycles(self.plan, self._controls, self._channels)
            },
            status=self._status,
            events=self._events,
            directory_bytes=self._directory_bytes(at),
            supervised=self._is_supervised(),
            halted=not self._is_foreign and halt_of(self._supervisor.pid).stopped,
            forks_halted=self._is_fork_server_halted(),
        )

    def _uptime(self, at: float) -> float:
        start = self._run[layout.START_NS]  # 0 in the moment before it begins
        return max(0.0, at - start * _NS) if start else 0.0

    def _is_supervised(self) -> bool:
        """Tell whether the run goes on: its process may live on without it, and then its record is gone."""
        return (self.directory / STATUS_FILE).exists() and not self._supervisor.is_dead()

    def _is_fork_server_halted(self) -> bool:
        parents = {process.parent for process in self._processes if process.parent}
        return any(halt_of(parent).stopped for parent in parents - {self._supervisor.pid})

    def _sample_actor(self, index: int, at: float) -> ActorSample:
        words = self._controls[index]
        status = self._status.actors[index]
        cpu, rss, halt = self._processes[index].look(None if self._is_foreign else status.pid)
        lives = bool(status.pid) if self._is_foreign else cpu is not None
        # A wait is added up at its end and every few seconds, and each time up to when is stored first: read in the
        # other order, and what is added meanwhile is seen one time too few. The meter never lets that go backwards.
        waited_before = waited = words[layout.WAITED_NS] * _NS
        phase = words[layout.PHASE]
        since = max(words[layout.WAIT_SINCE_NS], words[layout.LOOKED_NS]) * _NS
        blocked = words[layout.BLOCKED_ON] if phase == layout.PHASE_WAITING else 0
        if phase == layout.PHASE_WAITING and lives:
            waited += max(0.0, at - since)
        return ActorSample(
            pid=status.pid or 0,
            generation=words[layout.GENERATION],
            phase=phase,
            commits=words[layout.EPOCH],
            turns=words[layout.TURNS],
            parks=words[layout.PARKS],
            snapshot_bytes=words[layout.SNAPSHOT_BYTES],
            snapshot_seconds=words[layout.SNAPSHOT_NS] * _NS,
            waited=waited,
            waited_before=waited_before,
            blocked_end=blocked - 1 if blocked and blocked <= len(self.plan.actors[index].ends) else None,
            lives=lives,
            finished=bool(words[self._journal(index) + layout.J_FINISHED]),
            cpu=cpu,
            rss=None if lives and cpu is None else rss,
            halt=halt,
            in_code=seconds_in_its_code(words, at),
            debugged=is_debugged(words),
        )

    def _journal(self, index: int) -> int:
        """Return the first word of an actor's journal in force."""
        slot = self._controls[index][layout.EPOCH] & 1
        return layout.journal_offset(len(self.plan.actors[index].ends), slot) // layout.WORD

    def _sample_channel(self, index: int) -> ChannelSample:
        words = self._channels[index]
        plan = self.plan.channels[index]
        # Head before tail: what is taken in between looks queued, never the other way round.
        head, head_pos = words[layout.HEAD], words[layout.HEAD_POS]
        tail, tail_pos = words[layout.TAIL], words[layout.TAIL_POS]
        return ChannelSample(
            sent=tail,
            taken=head,
            in_flight=min(max(0, tail - head), plan.capacity),
            bytes=min(max(0, tail_pos - head_pos), plan.ring_bytes),
            # Charged every few seconds while a wait lasts: so it never falls, whoever dies meanwhile.
            blocked_seconds=words[layout.BLOCKED_NS] * _NS,
        )

    def _read_files(self) -> None:
        """Read the supervisor's files again if they were replaced; keep what is known when they are gone."""
        with contextlib.suppress(OSError, ValueError):
            if stamp := self._changed(STATUS_FILE):
                self._status = read_status(self.directory)
                self._stamps[STATUS_FILE] = stamp  # only now: what could not be read is read at the next look
        with contextlib.suppress(OSError, ValueError):
            if (stamp := self._changed(EVENTS_FILE)) and (events := read_events(self.directory, MOST_EVENTS)):
                self._events = events
                self._stamps[EVENTS_FILE] = stamp

    def _changed(self, name: str) -> tuple[int, int] | None:
        """Return what a file is known by that is not the one that was read last; None where it is that one."""
        facts = (self.directory / name).stat()
        stamp = (facts.st_mtime_ns, facts.st_ino ^ facts.st_size)
        return None if self._stamps.get(name) == stamp else stamp

    def _directory_bytes(self, at: float) -> int:
        if at - self._measured >= _MEASURE:
            self._measured = at
            with contextlib.suppress(OSError):
                self._size = sum(entry.stat().st_blocks * 512 for entry in self.directory.iterdir())
        return self._size

    def close(self) -> None:
        """Unmap everything."""
        for mapping in self._maps:
            mapping.close()
        self._maps.clear()
