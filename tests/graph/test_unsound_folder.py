"""A durable run of which all processes were killed, and whose files were damaged: `--resume` names what doesn't fit.

What a kill leaves goes on; what no kill can leave is refused by one line before any process starts, and stays as it is.
"""

from __future__ import annotations

import contextlib
import shutil
import struct
import sys
from typing import TYPE_CHECKING, NamedTuple

import psutil
import pytest

from steady_mp import ConfigurationError, Graph
from steady_mp.memory import layout
from steady_mp.memory.rundir import RunDir
from steady_mp.plan import actor_file, channel_file
from tests.support import kinds_host
from tests.support.gates import Lines
from tests.support.hosts import Process, all_gone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

GIVER, SHARER, CHECKER = (actor_file(index, "control") for index in range(3))
NUMBERS, LANE, TEXTS = (channel_file(index) for index in range(3))
#: The sharer's ends: it takes numbers, and sends to the lane and the bytes lane.
ENDS = 3
MOST = (1 << 64) - 1


def live(folder: Path, until: str) -> None:
    """Run until that line has come, and kill everybody."""
    with Process(sys.executable, "-m", "tests.support.kinds_host", str(folder)) as process:
        process.wait_line(until)
        everybody = [psutil.Process(process.pid), *process.family()]
        for each in everybody:
            with contextlib.suppress(psutil.NoSuchProcess):  # its parent is dead already
                each.kill()
        assert all_gone(everybody, 10.0)


class Killed(NamedTuple):
    """Two copies of one run: as it was killed first, and as it was killed later."""

    before: Path
    later: Path


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    place = tmp_path_factory.mktemp("killed")
    with pytest.MonkeyPatch.context() as patch:  # no test's own root is there yet
        patch.setenv("STEADY_MP_ROOT", str(place / "root"))
        live(place / "later", "checked 100")
        shutil.copytree(place / "later", place / "before", ignore=shutil.ignore_patterns("*.bell"))
        live(place / "later", "checked 300")
    return Killed(place / "before", place / "later")


@pytest.fixture
def folder(tmp_path: Path, killed: Killed) -> Path:
    return copy(killed.later, tmp_path / "run")


def copy(run: Path, goal: Path) -> Path:
    return shutil.copytree(run, goal, ignore=shutil.ignore_patterns("*.bell"))


def declared() -> Graph:
    graph = Graph("kinds", log_level="error")
    kinds_host.fill(graph)
    return graph


def refusal(folder: Path) -> str:
    """Return why the run is not resumed; nothing of it has changed then."""
    before = whole(folder)
    with pytest.raises(ConfigurationError) as refused:
        declared().start(resume=folder, output=Lines())
    RunDir.reopen(folder).remove()  # nobody holds it
    assert whole(folder) == before
    return str(refused.value)


def whole(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def word(path: Path, index: int) -> int:
    return int(struct.unpack_from("Q", path.read_bytes(), index * layout.WORD)[0])


def store(path: Path, index: int, value: int) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into("Q", data, index * layout.WORD, value)
    path.write_bytes(data)


def in_force(path: Path, index: int) -> int:
    """Return the place of a word of the sharer's journal in force."""
    return layout.journal_offset(ENDS, word(path, layout.EPOCH) & 1) // layout.WORD + index


def goes_on(folder: Path) -> None:
    """Resume the run, in which each number that comes twice, or not at all, ends its checker."""
    lines = Lines()
    with declared().start(resume=folder, output=lines) as run:
        lines.wait_for("checked")
        run.stop_now()
        report = run.block_until_stopped(20.0)
    assert not [death for actor in report.actors for death in actor.deaths]


def test_what_a_kill_has_left_goes_on(tmp_path: Path, killed: Killed) -> None:
    goes_on(copy(killed.before, tmp_path / "before"))
    goes_on(copy(killed.later, tmp_path / "later"))


HEADERS: dict[str, tuple[str, int, Callable[[int], int], str]] = {
    "capacity": (NUMBERS, layout.CH_CAPACITY, lambda _: MOST, "it was made with 16, 1048576, 0, 0, and says"),
    "ring": (LANE, layout.CH_RING_BYTES, lambda old: old + 1000, "it was made with 16, 128, 1, 8, and says 16, 1128,"),
    "kind": (TEXTS, layout.CH_KIND, lambda _: 1, "it was made with 16, 1048576, 2, 0, and says 16, 1048576, 1, 0"),
    "itemsize": (LANE, layout.CH_ITEMSIZE, lambda _: 0, "it was made with 16, 128, 1, 8, and says 16, 128, 1, 0"),
    "counter": (LANE, layout.BLOCKED_NS, lambda _: MOST, f"word 12 is {MOST}"),
    "ends": (SHARER, layout.CB_ENDPOINTS, lambda _: 7, "it has 7 ends instead of 3"),
    "no epoch": (SHARER, layout.EPOCH, lambda _: MOST, f"word 8 is {MOST}"),
    "life": (CHECKER, layout.GENERATION, lambda _: MOST, f"word 17 is {MOST}"),
    "turns": (GIVER, layout.TURNS, lambda _: MOST, f"word 24 is {MOST}"),
    "hand": (SHARER, layout.hand_word(ENDS, 0), lambda _: MOST, f"word 544 is {MOST}"),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_word_that_nobody_stores_is_refused(kind: str, folder: Path) -> None:
    name, index, damage, why = HEADERS[kind]
    store(folder / name, index, damage(word(folder / name, index)))
    said = refusal(folder)
    assert said.startswith(f"{folder / name} is damaged ({why}")
    assert said.endswith(f"): put it back from a copy, or begin anew with --durable {folder} --fresh")


JOURNALS: dict[str, tuple[int, Callable[[int], int], str]] = {
    "snapshot's slot": (
        layout.J_SNAP_SLOT,
        lambda _: 2,
        "actor-1.control is damaged (its journal has other than 0 and 1",
    ),
    "finished": (layout.J_FINISHED, lambda _: 9, "actor-1.control is damaged (its journal has other than 0 and 1"),
    "closed": (layout.J_HEADER + 5, lambda _: 9, "actor-1.control is damaged (its journal has other than 0 and 1"),
    "letters": (layout.J_HEADER + 2, lambda _: 64, "actor-1.control is damaged (numbers: more dead letters are taken"),
    "garbage": (layout.J_HEADER, lambda _: MOST, "actor-1.control is damaged (word "),
    "taken beyond": (
        layout.J_HEADER,
        lambda old: old + 500,
        "actor-0.control and actor-1.control do not fit (numbers: ",
    ),
    "over capacity": (
        layout.J_HEADER,
        lambda old: old - 17,
        "actor-0.control and actor-1.control do not fit (numbers: ",
    ),
    "bytes beyond": (
        layout.J_HEADER + 1,
        lambda old: old + (1 << 20),
        "actor-0.control and actor-1.control do not fit (numbers: ",
    ),
    "sent too few": (layout.J_HEADER + 3, lambda old: old - 1, "channel-1 and actor-1.control do not fit (lane: "),
    "another place": (layout.J_HEADER + 7, lambda old: old + 16, "channel-2 is damaged (its records do not lead from "),
}


@pytest.mark.parametrize("kind", JOURNALS)
def test_a_journal_that_does_not_fit_is_refused(kind: str, folder: Path) -> None:
    index, damage, why = JOURNALS[kind]
    path = folder / SHARER
    place = in_force(path, index)
    store(path, place, damage(word(path, place)))
    said = refusal(folder)
    assert said.startswith(f"{folder}/{why}")
    assert said.endswith(f" back from a copy, or begin anew with --durable {folder} --fresh")


def test_orders_that_can_not_be_read_are_refused(folder: Path) -> None:
    orders = folder / "letters" / "0.orders"
    orders.parent.mkdir()
    orders.write_bytes(b"[3, ")
    assert refusal(folder).startswith(f"{orders} can't be read (Expecting value: ")


@pytest.mark.parametrize("index", [layout.TAIL, layout.TAIL_POS, layout.HEAD, layout.HEAD_POS])
@pytest.mark.parametrize("name", [NUMBERS, LANE, TEXTS])
def test_a_header_that_shows_more_than_was_committed_is_refused(name: str, index: int, folder: Path) -> None:
    store(folder / name, index, word(folder / name, index) + 1000)
    assert refusal(folder).startswith(f"{folder / name} and actor-")


@pytest.mark.parametrize("name", [NUMBERS, LANE, TEXTS])
def test_a_header_that_lags_behind_goes_on(name: str, folder: Path) -> None:
    for index in (layout.TAIL, layout.TAIL_POS, layout.HEAD, layout.HEAD_POS):
        store(folder / name, index, 0)
    goes_on(folder)


def test_an_epoch_that_is_none_of_the_journals_is_refused(folder: Path) -> None:
    store(path := folder / SHARER, layout.EPOCH, 0)
    assert refusal(folder).startswith(f"{path} is damaged (its journal has a commit, and its epoch has none): ")


def test_an_epoch_that_puts_the_other_slot_in_force_is_refused(folder: Path) -> None:
    """What the headers show since tells of it."""
    path = folder / SHARER
    store(path, layout.EPOCH, word(path, layout.EPOCH) + 1)
    for index in range(layout.J_HEADER, layout.journal_words(ENDS)):
        place = in_force(path, index)
        store(path, place, max(0, word(path, place) - 1))  # a commit may have been about to be made there
    assert SHARER in refusal(folder)


@pytest.mark.parametrize("name", [GIVER, SHARER, CHECKER, NUMBERS, TEXTS])
def test_a_file_of_an_earlier_copy_is_refused(name: str, folder: Path, killed: Killed) -> None:
    shutil.copyfile(killed.before / name, folder / name)
    assert name in refusal(folder)


@pytest.mark.parametrize("damage", [None, b"", b"x" * 4096])
def test_a_snapshot_is_refused_with_the_actor_that_can_begin_without(damage: bytes | None, folder: Path) -> None:
    for snapshot in folder.glob("actor-2.snapshot-?"):
        snapshot.unlink() if damage is None else snapshot.write_bytes(damage)
    said = refusal(folder)
    assert f" is damaged: {folder}/actor-2.snapshot-" in said
    assert said.endswith(
        f": put it back from a copy, or begin with a new state with --resume {folder} --fresh-state checker"
    )
    run = declared().start(resume=folder, fresh_states=["checker"], output=Lines())
    run.stop_now()
    run.block_until_stopped(20.0)
