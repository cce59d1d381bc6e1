"""The run directory: everything about a run, in files that any process of it can map.

    <root>/<graph>.<namespace>.<pid>.<started>.<n>/     mode 0700, swept once its supervisor is dead
        graph.json                 topology, options, layout version
        status.json, events.jsonl  how the run stands and what has happened (`memory/status.py`)
        command.json               only in a durable one begun by `steady-mp run`: its words
        run                        shutdown word, start time
        supervisor.bell            doorbell of the supervisor
        channel-<i>                header and ring
        actor-<i>.control          control block
        actor-<i>.args             pickled behavior and arguments
        actor-<i>.bell             doorbell
        actor-<i>.snapshot-<0|1>   state as of the last two commits that changed it
        actor-<i>.death            why the last life ended, in its own words
        actor-<i>.fault            all stacks, when a fatal signal has ended its life
        actor-<i>.died-<n>         how life n ended, as the supervisor has found out (`memory/deaths.py`)
        actor-<i>.stack            where its process is in its code, as of the last time that somebody asked
        actor-<i>.pdb              socket of an actor that waits at a breakpoint()
        main                       functions and classes of the interactive session that built the graph
        log-file                   where the log file of the run is, if it has one
        letters/                   only where a message was put aside: see `memory/letters.py`
        errands/                   only where a command has asked for something: see `supervisor/errands.py`
        durable                    only in a durable one: it was made completely, and is never removed
        unfinished                 only in a durable one that has not begun (`memory/unfinished.py`)
        sync                       only in a durable one that survives a loss of power too: see `memory/durability.py`

Space is allocated when a file is made, so a full file system is an error at the start and never a
SIGBUS later.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from steady_mp.errors import ConfigurationError, NoSpace
from steady_mp.memory import disk
from steady_mp.memory.doorbell import Doorbell
from steady_mp.memory.files import allocate, is_ours, make_folder, replace, write
from steady_mp.memory.kept import keep_reports
from steady_mp.memory.letters import rescue
from steady_mp.memory.locks import Hold, alone
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.owner import RUN_NAME, Owner
from steady_mp.memory.status import read_status
from steady_mp.memory.unfinished import UNFINISHED, is_free

if TYPE_CHECKING:
    from collections.abc import Collection

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the point of this place is that it is memory
_SLUG_LENGTH = 40
_MEND = "set STEADY_MP_ROOT to a folder you can write"
#: In a durable run directory once it was made; until then `UNFINISHED` is.
_BEGUN = "durable"
#: In one whose commits survive a loss of power.
SYNCED = "sync"
#: Seconds within which a directory may not be locked yet.
_YOUNG = 10.0


def default_root() -> Path:
    """Where run directories live: STEADY_MP_ROOT, else shared memory, else the temporary folder."""
    if chosen := os.environ.get("STEADY_MP_ROOT"):
        return Path(chosen).absolute()  # the program may go elsewhere
    usable = _SHARED_MEMORY.is_dir() and os.access(_SHARED_MEMORY, os.W_OK | os.X_OK)
    base = _SHARED_MEMORY if usable else Path(tempfile.gettempdir())
    return base / f"steady-mp-{os.getuid()}"


def _prepare_root(root: Path) -> None:
    """Make `root` ours alone, or say why it can't be."""
    try:
        make_folder(root, parents=True, exist_ok=True)
        ours = is_ours(root)
    except OSError as error:
        message = f"run directory {root} can't be made: {error.strerror}; {_MEND}"
        raise ConfigurationError(message) from None
    if not ours:
        message = f"run directory {root} belongs to somebody else; set STEADY_MP_ROOT to a folder of your own"
        raise ConfigurationError(message)
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        message = f"run directory {root} can't be written; {_MEND}"
        raise ConfigurationError(message)


def _is_abandoned(path: Path) -> bool:
    """Tell whether nobody holds the directory's lock: how the end of another container's supervisor shows."""
    try:
        if time.time() - path.stat().st_mtime < _YOUNG:
            return False
        Hold(path).release()
    except OSError:
        return False
    return True


def abandoned(root: Path) -> list[Path]:
    """Return the run directories under `root` whose supervisor is provably dead."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for entry in sorted(root.iterdir()):
            match = RUN_NAME.fullmatch(entry.name)
            if match is None:
                continue
            owner = Owner(int(match["ns"]), int(match["pid"]), int(match["started"]))
            if owner.is_dead() or (owner.is_foreign and _is_abandoned(entry)):
                found.append(entry)
    return found


def running_here(graph_name: str, root: Path) -> Path | None:
    """Return the directory of a run that this process has of a graph with that name, under `root`; None without."""
    me = Owner.me()
    with contextlib.suppress(FileNotFoundError):
        for entry in root.iterdir():
            match = RUN_NAME.fullmatch(entry.name)
            if match and Owner(int(match["ns"]), int(match["pid"]), int(match["started"])) == me:
                with contextlib.suppress(OSError, ValueError):
                    if read_status(entry).graph == graph_name:
                        return entry
    return None


def sweep(root: Path) -> list[Path]:
    """Remove the run directories under `root` whose supervisor is provably dead; return them.

    Dead letters in one are copied to a safe place before; where that fails, the directory stays. What `steady-mp why`
    needs of it is kept elsewhere (`memory/kept.py`). Leaves everything to another sweep that is at work.
    """
    with alone(root) as is_ours:
        return _sweep(root) if is_ours else []


def _sweep(root: Path) -> list[Path]:
    removed = []
    for entry in abandoned(root):
        with contextlib.suppress(OSError):
            if entry.is_symlink():  # where a durable run stood: its folder stays
                entry.unlink()
                continue
            rescue(entry)
            keep_reports(entry)
            shutil.rmtree(entry, ignore_errors=True)
            removed.append(entry)
    return removed


def _too_large(root: Path, largest: int) -> NoSpace:
    return NoSpace(
        f"the graph needs a file of {largest / 2**20:.1f} MiB, and none may be so large in {root}: lower capacity or "
        "ring_bytes, or raise the limit (ulimit -f)"
    )


def _no_space(root: Path, needed: int, *, kept: bool) -> NoSpace:
    """Describe what is missing, and the ways out."""
    with contextlib.suppress(OSError):
        facts = os.statvfs(root)
        free = facts.f_bavail * facts.f_frsize
        return NoSpace(
            f"{root} has {free / 2**20:.1f} MiB free and the graph needs {needed / 2**20:.1f} MiB: lower capacity or "
            "ring_bytes, raise the limit (docker: --shm-size, Kubernetes: emptyDir with medium Memory), "
            f"or {'take' if kept else 'set STEADY_MP_ROOT to'} a folder with room"
        )
    return NoSpace(f"{root} has no room for the {needed / 2**20:.1f} MiB that the graph needs")


class RunDir:
    """One run directory, made by its supervisor (`create`) or opened by anybody else."""

    __slots__ = ("_held", "_is_kept", "_link", "path")

    _serial = itertools.count()

    def __init__(self, path: Path) -> None:
        """Open the existing directory at `path`."""
        self.path = path
        self._held: Hold | None = None
        self._is_kept = False
        self._link: Path | None = None

    @classmethod
    def create(
        cls, graph_name: str, files: dict[str, int], contents: dict[str, bytes], root: Path | None = None
    ) -> RunDir:
        """Sweep the root, then make a fresh directory with `files` (name: size), all allocated, and `contents`.

        Raises ConfigurationError when the root can't be used and NoSpace when it is too full;
        nothing is left behind then.
        """
        root = default_root() if root is None else root.absolute()
        _prepare_root(root)
        sweep(root)
        path = cls._own_name(graph_name, root)
        try:
            make_folder(path)
        except OSError as error:
            message = f"run directory {path} can't be made: {error.strerror}; {_MEND}"
            raise ConfigurationError(message) from None
        run = cls(path)
        with contextlib.suppress(OSError):  # a file system without locks: only its own namespace sweeps it
            run._held = Hold(path)
        run._fill(files, contents)
        return run

    @classmethod
    def _own_name(cls, graph_name: str, root: Path) -> Path:
        """Return a path that nobody else has, and that says whose it is."""
        me = Owner.me()
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", graph_name)[:_SLUG_LENGTH]
        return root / f"{slug}.{me.namespace}.{me.pid}.{me.started}.{next(cls._serial)}"

    def show(self, graph_name: str, root: Path | None = None) -> None:
        """Let the commands find a durable run that lives, by a link among the run directories; a convenience only."""
        if not self._is_kept:
            return
        with contextlib.suppress(OSError, ConfigurationError):
            root = default_root() if root is None else root.absolute()
            _prepare_root(root)
            sweep(root)
            link = self._own_name(graph_name, root)
            link.symlink_to(self.path, target_is_directory=True)
            self._link = link

    @classmethod
    def create_durable(cls, path: Path, files: dict[str, int], contents: dict[str, bytes]) -> RunDir:
        """Make `path` a durable run directory, which outlives its processes and is never swept.

        Raises ConfigurationError when it holds anything but a run that never began, or can't be made,
        and NoSpace.
        """
        # One name for one folder: by it the next supervisor knows the processes that are left of this run.
        run = cls(Path(os.path.realpath(path)))
        run.vacate(contents)
        try:
            (run.path / UNFINISHED).touch(mode=0o600)
        except OSError as error:
            run.remove()  # only lets go of it
            message = f"{run.path} can't hold a durable run: {error.strerror}"
            raise ConfigurationError(message) from None
        run._fill(files, contents)
        return run

    def vacate(self, names: Collection[str] = ()) -> None:
        """Hold the folder for a durable run, made or emptied but for the marker. Raises ConfigurationError.

        `names` are those of files that a run which never began may have left, besides the usual ones.
        """
        self._is_kept = True
        try:
            self._vacate(names)
        except BaseException as error:
            self.remove()  # only lets go of it, which the error would not do for as long as somebody has that
            if isinstance(error, OSError):
                message = f"{self.path} can't hold a durable run: {error.strerror}"
                raise ConfigurationError(message) from None
            raise

    def _vacate(self, names: Collection[str]) -> None:
        path = self.path
        make_folder(path, parents=True, exist_ok=True)
        self._claim()
        if self.has_begun:
            message = f"{path} holds a run: go on with it by --resume {path}, or begin anew by --fresh"
            raise ConfigurationError(message)
        if not is_free(path, names):
            message = f"{path} is not empty: name a folder that is, or one that does not exist yet"
            raise ConfigurationError(message)
        for entry in path.iterdir():
            if entry.name != UNFINISHED:
                entry.unlink()

    @classmethod
    def reopen(cls, path: Path) -> RunDir:
        """Open a durable run directory to go on with its run. Raises ConfigurationError."""
        path = Path(os.path.realpath(path))  # as `create_durable`
        run = cls(path)
        run._is_kept = True
        if not run.has_begun:
            message = f"{path} holds no durable run: begin one with --durable {path}"
            raise ConfigurationError(message)
        run._claim()
        return run

    @property
    def has_begun(self) -> bool:
        """Tell whether this is a durable run directory that was made completely."""
        return (self.path / _BEGUN).exists()

    def begin(self) -> None:
        """Take note that everything in it is as a fresh run needs it."""
        if self._is_kept and not self.has_begun:
            try:
                if self.is_synced:
                    disk.settle_folder(self.path)
                (self.path / UNFINISHED).rename(self.path / _BEGUN)
                if self.is_synced:
                    disk.settle(self.path)
            except OSError as error:
                message = f"{self.path} can't hold a durable run: {error.strerror}"
                raise ConfigurationError(message) from None

    @property
    def is_synced(self) -> bool:
        """Tell whether its commits are to survive a loss of power."""
        return (self.path / SYNCED).exists()

    def sync(self, *, on: bool | None) -> None:
        """Have the commits of a durable run that nobody runs survive a loss of power from here on, or not any more.

        None leaves it as it is. Raises ConfigurationError where the disk doesn't take what there is.
        """
        try:
            if on is False:
                (self.path / SYNCED).unlink(missing_ok=True)
            elif on and not self.is_synced:
                disk.settle_folder(self.path)
                disk.replace(self.path / SYNCED, b"")
        except OSError as error:
            message = f"{self.path} can't be synced: {error.strerror}"
            raise ConfigurationError(message) from None

    def replace(self, name: str, content: bytes) -> None:
        """Put `content` in the place of a file, as a whole, and on the disk where that is wanted. Raises OSError."""
        put = disk.replace if self.is_synced else replace
        put(self.path / name, content)

    def _claim(self) -> None:
        """Hold the directory for as long as this process lives, or refuse because somebody else does."""
        try:
            self._held = Hold(self.path)
        except BlockingIOError:
            message = f"the run in {self.path} is alive: its supervisor holds the folder"
            raise ConfigurationError(message) from None

    def _fill(self, files: dict[str, int], contents: dict[str, bytes]) -> None:
        try:
            for name, size in files.items():
                allocate(self.path / name, size)
            for name, content in contents.items():
                write(self.path / name, content)
        except OSError as error:
            shutil.rmtree(self.path, ignore_errors=True)
            self._unlock()
            if error.errno == errno.EFBIG:
                raise _too_large(self.path.parent, max(files.values())) from None
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                needed = sum(files.values()) + sum(map(len, contents.values()))
                raise _no_space(self.path.parent, needed, kept=self._is_kept) from None
            message = f"run directory {self.path} can't be made: {error.strerror}"
            raise ConfigurationError(message) from None
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            self._unlock()
            raise

    def mapping(self, name: str) -> Mapping:
        """Map one file of the run."""
        return Mapping(self.path / name)

    def doorbell(self, name: str, *, create: bool = False) -> Doorbell:
        """Open one doorbell of the run."""
        if create and not (self.path / name).exists():
            Doorbell.create(self.path / name)
        return Doorbell(self.path / name)

    def hold_on(self) -> None:
        """Let the directory stay when the run is over; it is swept once what lies in it is safe."""
        self._is_kept = True

    def remove(self) -> None:
        """Remove the directory and all in it, or only let go of it where it is durable."""
        if not self._is_kept:
            shutil.rmtree(self.path, ignore_errors=True)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        self._unlock()

    def _unlock(self) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None
