"""Beginning anew where a durable run stands, as a whole or with one actor's state; what there was is kept beside it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from steady_mp.errors import ConfigurationError, SteadyError
from steady_mp.memory import disk
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.rundir import RunDir
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.memory.unfinished import UNFINISHED
from steady_mp.plan import actor_file
from steady_mp.supervisor.launcher import kill_leftovers

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import TracebackType

    from steady_mp.plan import Plan


class Aside:
    """The durable run that is put aside for another one.

    Where that fails before it has begun, the old one is put back; where it can't be, the error says where it is.
    """

    def __init__(self, path: Path, names: Collection[str]) -> None:
        """Put aside what run is in `path`, as `put_aside` does; `names` are the files of the other one."""
        self._path = path
        self._names = names
        #: Where it is; see `put_aside`.
        self.kept = put_aside(path)

    def __enter__(self) -> list[tuple[str, Path]]:
        """Return where it is."""
        return self.kept

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put it back if there is an error."""
        for _, kept in self.kept:
            if error is None or self._put_back(kept):
                continue
            told = f"the run that was in {self._path} is kept in {kept}"
            if isinstance(error, SteadyError):
                error.args = (f"{error}; {told}",)
            else:
                error.add_note(told)

    def _put_back(self, kept: Path) -> bool:
        place = RunDir(self._path)
        try:
            place.vacate(self._names)  # so nobody else has it, or begins in it meanwhile
            (self._path / UNFINISHED).unlink(missing_ok=True)
            kept.rename(self._path)
        except (OSError, ConfigurationError):
            return False
        finally:
            place.remove()  # only lets go of it
        return True


def put_aside(path: Path) -> list[tuple[str, Path]]:
    """Rename the folder of a durable run, and return its new path, with no actor's name; nothing where there is no run.

    Blocks until the last of its old processes is gone. Raises ConfigurationError when the run is alive, or the folder
    can't be renamed.
    """
    if not RunDir(path).has_begun:
        return []
    run = RunDir.reopen(path)
    kept = Path(f"{run.path}.kept-1")
    try:
        kill_leftovers(run.path)
        kept = _free(run.path)
        run.path.rename(kept)
    except OSError as error:
        message = (
            f"{path} can't be put aside as {kept.name}: {error.strerror}; move it yourself, or name another folder"
        )
        raise ConfigurationError(message) from None
    finally:
        run.remove()  # only lets go of it
    return [("", kept)]


def check_states(run: RunDir, plan: Plan, names: Sequence[str]) -> None:
    """Raise what `forget_states` would for one of these names; nothing has changed then either."""
    for name in names:
        _state_of(run, plan, name)[1].close()


def forget_states(run: RunDir, plan: Plan, names: Sequence[str]) -> list[tuple[str, Path]]:
    """Let these actors of a run without processes begin with new states; return the copies of the old ones.

    Their places in their channels stay. All or none: raises ConfigurationError, before it changes anything, for an
    actor that is not there, has no state, or has finished.
    """
    chosen: list[tuple[str, int, ControlBlock]] = []
    try:
        for name in dict.fromkeys(names):
            chosen.append((name, *_state_of(run, plan, name)))  # noqa: PERF401 - closed also if the next is refused
        return [(name, _forget(run, index, control)) for name, index, control in chosen]
    finally:
        for _, _, control in chosen:
            control.close()


def _state_of(run: RunDir, plan: Plan, name: str) -> tuple[int, ControlBlock]:
    known = [actor.name for actor in plan.actors]
    if name not in known:
        raise ConfigurationError(f"no actor {name!r} in graph {plan.graph!r}: there are {', '.join(known)}")
    index = known.index(name)
    control = ControlBlock(run.mapping(actor_file(index, "control")), len(plan.actors[index].ends))
    journal = control.journal()
    if journal.finished or not journal.snapshot_length:
        control.close()
        why = "has finished: no further life would begin with a new state" if journal.finished else "has no state"
        raise ConfigurationError(f"actor {name!r} {why}")
    return index, control


def _forget(run: RunDir, index: int, control: ControlBlock) -> Path:
    """Commit for an actor that there is no snapshot, and nothing else; copy the old one before."""
    journal = control.journal()
    snapshot = SnapshotSlots(run.path / actor_file(index, "snapshot")).path(journal.snapshot_slot)
    kept = _free(snapshot)
    try:
        data = snapshot.read_bytes() if snapshot.exists() else b""  # it may be what is wrong that it is gone
        disk.replace(kept, data[: journal.snapshot_length])
    except OSError as error:
        raise ConfigurationError(f"{snapshot} can't be copied to {kept.name}: {error.strerror}") from None
    epoch = control.epoch + 1
    control.write_journal(epoch, journal._replace(snapshot_length=0, snapshot_crc=0).words().tobytes())
    if run.is_synced:
        disk.settle(run.path / actor_file(index, "control"))
    control.put_in_force(epoch)  # on the disk before anybody lives: `Seat.ended`
    return kept


def _free(path: Path) -> Path:
    """Return a path beside this one that is not taken."""
    return next(kept for number in itertools.count(1) if not (kept := Path(f"{path}.kept-{number}")).exists())
