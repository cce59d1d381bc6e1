"""The runs of this machine: which there are, which one is meant, and its files mapped so that nothing disturbs it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from steady_mp.channel.kinds import open_store
from steady_mp.errors import ConfigurationError, SteadyError
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.damage import damage_of
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.owner import Owner
from steady_mp.memory.rundir import default_root
from steady_mp.memory.standing import halt_of
from steady_mp.memory.status import STATUS_FILE, UNREADABLE, RunStatus, read_status
from steady_mp.plan import PLAN_FILE, Plan, actor_file, channel_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from steady_mp.channel.store import Store
    from steady_mp.memory.status import ActorStatus

#: States that an actor comes to by itself, and keeps when its run is over.
_LAST: Final = frozenset({"finished", "given up"})
#: Parts of the path of a file in a folder that is only a name.
_BARE: Final = 2


class NoSuchRun(ConfigurationError):
    """Nothing was found that could be meant."""


@dataclass(frozen=True, slots=True)
class Found:
    """A run directory, and what its supervisor last wrote there."""

    directory: Path
    status: RunStatus

    @property
    def is_alive(self) -> bool:
        """Whether it goes on, as far as can be known: its supervisor may live in another container."""
        return self.status.phase != "stopped" and not self.status.owner.is_dead()

    @property
    def is_halted(self) -> bool:
        """Whether its supervisor lives and is stopped (SIGSTOP): nobody is restarted meanwhile."""
        owner = self.status.owner
        return self.is_alive and not owner.is_foreign and halt_of(owner.pid).stopped


def last_state(state: str) -> str:
    """Return how an actor stands whose run is over, from what was said of it last."""
    return state if state in _LAST else "dead"


def lay_to_rest(actors: Iterable[dict[str, Any]]) -> None:
    """Change what `ps` and `top` show of actors to how they stand when their run is over: none has a process."""
    for actor in actors:
        actor.update(pid=None, rss=0, blocked_on=None, state=last_state(actor["state"]))


def all_runs() -> list[Found]:
    """Return every run in the folder of run directories, those of dead supervisors and durable ones that live too.

    Raises ConfigurationError where the folder is there and can't be read.
    """
    root = default_root()
    try:
        entries = sorted(root.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(f"{root} can't be read: {error.strerror}") from None
    found = []
    for entry in entries:
        with suppress(*UNREADABLE):
            status = read_status(entry)  # first: no folder is behind a link that leads in a circle
            found.append(Found(entry.resolve(), status))
    return found


def is_there(path: Path) -> bool:
    """Tell whether there is such a file. Raises ConfigurationError where somebody else's folder keeps that from us."""
    try:
        path.stat()
    except PermissionError as error:
        if len(path.parts) == _BARE:  # it is the working folder that is closed: a run can be named there all the same
            return False
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except OSError:  # there is no such folder, or no name can be so long
        return False
    return True


def find_run(which: str | None, *, dead: bool = False) -> Path:
    """Return the directory of the run that is meant. Raises ConfigurationError, naming those that there are.

    It is a NoSuchRun where none is meant; where several could be, none is chosen for the asker.

    With `dead`, one that has lost its supervisor will do where it is named, or where no other is left. Where living and
    dead ones have the name, the living are meant.
    """
    if which is not None and is_there(Path(which) / STATUS_FILE):
        return Path(which)
    everything = all_runs()
    living = [run for run in everything if run.is_alive]
    choice = living if not dead or (living and which is None) else everything
    meant = [run for run in choice if which is None or which in (run.status.graph, run.directory.name)]
    meant = [run for run in meant if run.is_alive] or meant
    if len(meant) == 1:
        return meant[0].directory
    if not choice:
        asked = "" if which is None else f"no run {which!r}: "
        raise NoSuchRun(f"{asked}nothing runs on this machine that could be shown (looked in {default_root()})")
    if not meant:
        names = ", ".join(sorted({run.status.graph for run in choice}))
        raise NoSuchRun(f"no run {which!r}: there is {names}")
    names = ", ".join(run.directory.name for run in meant)
    raise ConfigurationError(f"several runs could be meant, name one of them: {names}")


def open_status(directory: Path) -> Found:
    """Return the run in `directory` with its status. Raises ConfigurationError where there is none."""
    try:
        return Found(directory, read_status(directory))
    except UNREADABLE as error:
        raise ConfigurationError(f"{directory} can't be read as a run: {error}") from None


class Opened:
    """One run with its files mapped read-only: whatever is done with it, the run does not notice."""

    def __init__(self, directory: Path) -> None:
        """Read what the run in `directory` is. Raises ConfigurationError where there is none."""
        self.directory = directory
        self._maps: list[Mapping] = []
        try:
            self.plan = Plan.from_json((directory / PLAN_FILE).read_text())
            self._sizes = self.plan.files()
            self.status = open_status(directory).status
        except UNREADABLE as error:
            raise ConfigurationError(f"{directory} can't be read as a run: {error}") from None

    def actor(self, name: str) -> int:
        """Return the index of an actor. Raises ConfigurationError, naming those that there are."""
        return _place(name, [actor.name for actor in self.plan.actors], "actor", self.plan.graph)

    def channel(self, name: str) -> int:
        """Return the index of a channel, whose arrow may be written ``->``. Raises ConfigurationError."""
        names = [channel.name for channel in self.plan.channels]
        return _place(name if name in names else name.replace("->", "→"), names, "channel", self.plan.graph)

    def control(self, actor: int) -> ControlBlock:
        """Map the control block of an actor. Raises SteadyError when it is damaged."""
        return ControlBlock(self._map(actor_file(actor, "control")), len(self.plan.actors[actor].ends))

    def store(self, channel: int) -> Store:
        """Map a channel. Raises SteadyError when it is damaged."""
        name, plan = channel_file(channel), self.plan.channels[channel]
        store = open_store(self._map(name), plan)
        if store.size != plan.ring_bytes:
            raise self._damaged(name)
        return store

    def process(self, actor: int) -> Owner | None:
        """Return the process of an actor's present life; None between two lives, and before it has come to itself."""
        words = self.control(actor).words
        owner = Owner(self.status.namespace, words[layout.PID], words[layout.BORN])
        return None if not owner.pid or owner.is_dead() else owner

    def actor_status(self, actor: int) -> ActorStatus:
        """Return what the supervisor says of an actor now, or said last."""
        with suppress(*UNREADABLE):
            self.status = read_status(self.directory)
        return self.status.actors[actor]

    def _map(self, name: str) -> Mapping:
        try:
            if damage_of(self.directory / name, self._sizes[name]):
                raise self._damaged(name)
            mapping = Mapping(self.directory / name, read_only=True)
        except FileNotFoundError:
            raise SteadyError(f"{self.directory} is gone: the run has ended") from None
        except UNREADABLE as error:
            raise SteadyError(f"{self.directory / name} can't be read: {error}") from None
        self._maps.append(mapping)
        return mapping

    def _damaged(self, name: str) -> SteadyError:
        return SteadyError(f"{self.directory / name} is damaged, or of another version of steady-mp")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of it. What is still mapped by somebody goes with that."""
        for mapping in self._maps:
            with suppress(BufferError):
                mapping.close()


def _place(name: str, names: list[str], kind: str, graph: str) -> int:
    if name in names:
        return names.index(name)
    raise ConfigurationError(f"no {kind} {name!r} in graph {graph!r}: there is {', '.join(names) or 'none'}")
