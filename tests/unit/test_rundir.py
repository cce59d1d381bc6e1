"""Run directories: made whole or not at all, and removed only when their owner is provably dead."""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from steady_mp import ConfigurationError, NoSpace
from steady_mp.memory import locks, rundir
from steady_mp.memory import owner as owners
from steady_mp.memory.layout import PAGE
from steady_mp.memory.locks import alone, lock
from steady_mp.memory.owner import Owner
from steady_mp.memory.rundir import RunDir, default_root, sweep

NOBODY = 1 << 22 | 1  # beyond the largest pid that Linux gives


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def create(root: Path, name: str = "graph", size: int = PAGE) -> RunDir:
    return RunDir.create(name, {"run": PAGE, "channel-0": size}, {"graph.json": b"{}"}, root)


def name_of(owner: Owner) -> str:
    return f"graph.{owner.namespace}.{owner.pid}.{owner.started}.0"


# Making


def test_a_run_directory_is_ours_alone_and_its_files_are_allocated(root: Path) -> None:
    run = create(root, size=5 * PAGE)
    assert root.stat().st_mode & 0o777 == 0o700
    assert run.path.stat().st_mode & 0o777 == 0o700
    found = (run.path / "channel-0").stat()
    assert found.st_size == 5 * PAGE
    assert found.st_blocks * 512 >= 5 * PAGE
    assert found.st_mode & 0o777 == 0o600
    assert (run.path / "graph.json").read_bytes() == b"{}"
    run.remove()
    assert not run.path.exists()


def test_a_umask_takes_nothing_from_their_owner(root: Path, tmp_path: Path) -> None:
    """Such a root would be refused, to every program that comes later too."""
    before = os.umask(0o777)
    try:
        runs = [create(root), RunDir.create_durable(tmp_path / "durable", {}, {})]
    finally:
        os.umask(before)
    for folder in (root, *(run.path for run in runs)):
        assert folder.stat().st_mode & 0o777 == 0o700
    for run in runs:
        run.remove()


def test_a_run_is_held_while_its_files_are_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To allocate them may take longer than a sweep of another container takes it for young."""
    held: list[Path] = []

    def look(run: RunDir, *_: object) -> None:
        with pytest.raises(BlockingIOError):
            lock(run.path)
        held.append(run.path)

    monkeypatch.setattr(RunDir, "_fill", look)
    run = create(root)
    run.remove()
    assert held == [run.path]


def test_two_runs_of_one_process_are_two_directories(root: Path) -> None:
    first, second = create(root), create(root)
    assert first.path != second.path
    assert first.path.exists()


def test_a_graph_may_have_any_name(root: Path) -> None:
    run = create(root, name="../../etc/päss wd\n" + "x" * 200)
    assert run.path.parent == root
    assert len(run.path.name) < 120
    assert sweep(root) == []


def test_files_are_mapped_and_bells_are_opened_by_name(root: Path) -> None:
    run = create(root)
    mapping = run.mapping("run")
    assert mapping.size == PAGE
    mapping.close()
    bell = run.doorbell("bell", create=True)
    bell.ring()
    bell.close()


ROOM = r"MiB free and the graph needs 10\.0 MiB: lower capacity .* STEADY_MP_ROOT"
SIZE = r"needs a file of 10\.0 MiB, and none may be so large in .*: lower capacity or ring_bytes, or raise .*ulimit -f"


@pytest.mark.parametrize(("number", "message"), [(errno.ENOSPC, ROOM), (errno.EDQUOT, ROOM), (errno.EFBIG, SIZE)])
def test_no_space_says_how_much_is_missing_and_leaves_nothing(
    number: int, message: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def allocate(_fd: int, _offset: int, size: int) -> None:
        sizes.append(size)
        if len(sizes) == 2:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", allocate)
    with pytest.raises(NoSpace, match=message):
        create(root, size=10 << 20)
    assert list(root.iterdir()) == []


def test_any_other_error_leaves_nothing_either(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int, _offset: int, _size: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(ConfigurationError, match="can't be made: Input/output error"):
        create(root)
    assert list(root.iterdir()) == []


def test_an_interrupt_leaves_nothing_either(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_fd: int, _offset: int, _size: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "posix_fallocate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        create(root)
    assert list(root.iterdir()) == []


# The root


def test_a_root_that_belongs_to_somebody_else_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()
    stranger = root.stat().st_uid + 1
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    with pytest.raises(ConfigurationError, match="belongs to somebody else; set STEADY_MP_ROOT"):
        create(root)


def test_a_root_that_is_a_symlink_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="belongs to somebody else"):
        create(root)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_root_that_is_a_file_is_refused(root: Path) -> None:
    root.write_text("")
    with pytest.raises(ConfigurationError, match="can't be made: File exists; set STEADY_MP_ROOT"):
        create(root)


def test_a_root_that_takes_no_folder_is_refused_with_its_mend(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`/proc` passes for a folder that can be written."""
    mkdir = Path.mkdir

    def refuse(self: Path, *args: Any, **options: Any) -> None:
        if self.parent == root:
            raise OSError(errno.ENOENT, "No such file or directory")
        mkdir(self, *args, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ConfigurationError, match="can't be made: No such file or directory; set STEADY_MP_ROOT to a"):
        create(root)


def test_a_root_that_cant_be_written_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ConfigurationError, match="can't be written; set STEADY_MP_ROOT"):
        create(root)


@pytest.mark.parametrize(("usable", "base"), [(True, "shm"), (False, "tmp")])
def test_the_root_is_shared_memory_where_there_is_any(
    usable: bool,  # noqa: FBT001 - a parameter of the test
    base: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if usable:
        (tmp_path / "shm").mkdir()
    monkeypatch.setattr(rundir, "_SHARED_MEMORY", tmp_path / "shm")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    monkeypatch.delenv("STEADY_MP_ROOT")
    assert default_root() == tmp_path / base / f"steady-mp-{os.getuid()}"


def test_the_root_is_the_one_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADY_MP_ROOT", str(tmp_path / "mine"))
    assert default_root() == tmp_path / "mine"


def test_a_root_that_is_named_from_here_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEADY_MP_ROOT", "mine")
    assert default_root() == tmp_path / "mine"
    run = create(Path("yours"))
    assert run.path.parent == tmp_path / "yours"
    monkeypatch.chdir("/")
    run.remove()
    assert list((tmp_path / "yours").iterdir()) == []


# Sweeping


def test_only_the_provably_dead_are_swept(root: Path) -> None:
    me = Owner.me()
    dead = [
        Owner(me.namespace, NOBODY, me.started),
        Owner(me.namespace, me.pid, me.started - 1),  # the pid was given again
    ]
    kept = [
        me,
        Owner(me.namespace + 1, NOBODY, me.started),  # in another container: who knows
        Owner(me.namespace + 1, me.pid, me.started - 1),
    ]
    for owner in (*dead, *kept):
        (root / name_of(owner)).mkdir(parents=True)
        (root / name_of(owner) / "channel-0").write_bytes(b"x")
    (root / "somebody's folder").mkdir()
    (root / "notes.1.2.3").write_text("not a run directory")
    assert sorted(sweep(root)) == sorted(root / name_of(owner) for owner in dead)
    left = {entry.name for entry in root.iterdir()}
    assert left == {"somebody's folder", "notes.1.2.3", *map(name_of, kept)}


def foreign_run(root: Path, *, age: float) -> Path:
    """Make the directory of a run in another container, `age` seconds ago."""
    path = root / name_of(Owner(Owner.me().namespace + 1, NOBODY, 1))
    path.mkdir(parents=True)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def test_another_containers_run_is_swept_once_nobody_holds_its_lock(root: Path) -> None:
    path = foreign_run(root, age=3600.0)
    held = lock(path)
    assert sweep(root) == []
    os.close(held)
    assert sweep(root) == [path]


def test_one_that_is_so_young_that_it_may_not_be_locked_yet_is_kept(root: Path) -> None:
    foreign_run(root, age=rundir._YOUNG / 2)
    assert sweep(root) == []


def test_a_run_holds_its_lock_until_it_is_removed(root: Path) -> None:
    run = create(root)
    with pytest.raises(BlockingIOError):
        lock(run.path)
    assert run._held is not None
    run.remove()
    assert run._held is None


def test_a_file_system_without_locks_will_do(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    run = create(root)
    foreign_run(root, age=3600.0)
    assert sweep(root) == []
    run.remove()


def test_two_sweeps_at_once_do_not_get_in_each_other_s_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / name_of(Owner(Owner.me().namespace, NOBODY, 1))
    path.mkdir(parents=True)
    swept: list[list[Path]] = []

    def keep(directory: Path) -> None:
        assert directory == path
        swept.append([])  # so that no third one begins in the second
        if len(swept) == 1:
            swept[0] = sweep(root)

    monkeypatch.setattr(rundir, "keep_reports", keep)
    assert sweep(root) == [path]
    assert swept == [[]]
    os.close(lock(root))  # and nobody holds it any more


def test_a_process_that_is_forked_in_a_sweep_holds_no_other_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()
    held: list[int] = []

    def keep_in_mind(folder: Path) -> int:
        held.append(lock(folder))
        return held[0]

    monkeypatch.setattr(locks, "lock", keep_in_mind)
    with alone(root) as is_ours:
        assert is_ours
        inherited = os.dup(held[0])
    os.close(lock(root))
    os.close(inherited)


def test_a_start_sweeps(root: Path) -> None:
    me = Owner.me()
    (root / name_of(Owner(me.namespace, NOBODY, 1))).mkdir(parents=True)
    run = create(root)
    assert list(root.iterdir()) == [run.path]


def test_a_symlink_in_the_root_never_leads_a_sweep_elsewhere(root: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("")
    root.mkdir()
    (root / name_of(Owner(Owner.me().namespace, NOBODY, 1))).symlink_to(tmp_path / "precious")
    sweep(root)
    assert (tmp_path / "precious" / "file").exists()


def test_a_root_that_is_not_there_has_nothing_to_sweep(root: Path) -> None:
    assert sweep(root) == []


# Owners


def test_this_process_lives() -> None:
    assert not Owner.me().is_dead()
    assert Owner.me() == Owner.of(os.getpid())


def write_stat(proc: Path, pid: int, state: str = "S", started: int = 777, name: str = "python") -> None:
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    fields = " ".join(["1"] * 18)
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {state} {fields} {started} 0 0")


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    proc = tmp_path / "proc"
    (proc / "self/ns").mkdir(parents=True)
    (proc / "self/ns/pid").write_text("")
    shutil.copy("/proc/self/stat", proc / "self/stat")
    monkeypatch.setattr(owners, "_PROC", proc)
    return proc


@pytest.mark.parametrize("name", ["python", "a b", "a) S 9 (b", "))("])
def test_a_process_may_have_any_name(name: str, proc: Path) -> None:
    write_stat(proc, 5, name=name)
    owner = Owner.of(5)
    assert owner.started % (1 << 40) == 777  # above it stands which start of the machine that was
    assert not owner.is_dead()


@pytest.mark.parametrize("state", ["Z", "X"])
def test_a_zombie_is_dead(state: str, proc: Path) -> None:
    write_stat(proc, 5)
    owner = Owner.of(5)
    write_stat(proc, 5, state=state)
    assert owner.is_dead()


def test_a_pid_that_was_given_again_is_another_process(proc: Path) -> None:
    write_stat(proc, 5)
    owner = Owner.of(5)
    write_stat(proc, 5, started=778)
    assert owner.is_dead()
    shutil.rmtree(proc / "5")
    assert owner.is_dead()


def test_without_proc_the_time_of_start_comes_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "_PROC", tmp_path / "none")
    me = Owner.me()
    assert me.namespace == 0
    assert me.started > 0
    assert not me.is_dead()
    assert Owner(0, NOBODY, me.started).is_dead()
