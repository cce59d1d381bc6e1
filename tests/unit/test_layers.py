"""Imports point downwards, and in no circle. The layers are those of docs/architecture.md."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.unit.source import PACKAGE, ROOT, Module, modules

#: What telemetry reads: the run directory, what lies in it, and the leaves.
READ_BY_TELEMETRY = {"memory", "plan", "cycles"}

#: Where actors work. No lock, no queue, nothing that another process could hold when it is killed.
DATA_PATH = {
    "memory",
    "channel",
    "turn",
    "recovery",
    "state",
    "migration",
    "snapshot_cost",
    "parking",
    "conditions",
    "actor",
    "life",
}


@cache
def architecture() -> str:
    return (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def rooms_in(text: str) -> list[str]:
    return [name.rstrip("/").removesuffix(".py") for name in re.findall(r"`([a-z_]+(?:/|\.py))`", text)]


@cache
def layers() -> dict[str, int]:
    """Return the height of each room, as the table of layers has it."""
    _, _, table = architecture().partition("| layer | rooms | knows |")
    rows = [line.split("|") for line in table.partition("\n\n")[0].splitlines()[2:]]
    return {room: height for height, row in enumerate(rows) for room in rooms_in(row[2])}


@cache
def leaves() -> set[str]:
    sentence = re.search(r"\n\n([^\n|]*?(?:\n[^\n|]*?)?) are leaves", architecture())
    assert sentence is not None
    return set(rooms_in(sentence[1]))


def inner() -> list[Module]:
    """All modules but the package itself, which only hands out names, and testing."""
    return [module for module in modules().values() if module.room not in {"", "testing"}]


def height(name: str) -> float:
    """Return the height of the layer that a module stands in; the leaves lie below all."""
    room = name.partition(".")[0]
    if room in leaves():
        return -1
    # The package's own __init__ hands out the names of everything below the commands.
    return layers()[room] if room else layers()["supervisor"] + 0.5


def test_the_table_names_every_room_once() -> None:
    assert set(layers()) | leaves() == {module.room for module in inner()}
    assert not set(layers()) & leaves()


@pytest.mark.parametrize("module", inner(), ids=lambda module: module.name)
def test_imports_point_downwards(module: Module) -> None:
    upwards = {name for name in module.imports if height(name) > height(module.name)}
    assert not upwards, f"{module.name} may not know {upwards}"


def test_type_imports_point_downwards_too() -> None:
    upwards = {
        (module.name, name) for module in inner() for name in module.type_imports if height(name) > height(module.name)
    }
    assert not upwards


def test_nothing_uses_testing() -> None:
    users = {
        module.name
        for module in inner()
        for name in module.imports | module.type_imports
        if name.partition(".")[0] == "testing"
    }
    assert not users


def test_telemetry_reads_the_run_directory_and_only_commands_use_it() -> None:
    allowed = READ_BY_TELEMETRY | leaves() | {"telemetry"}
    for module in inner():
        rooms = {name.partition(".")[0] for name in module.imports | module.type_imports}
        if module.room == "telemetry":
            assert rooms <= allowed, module.name
        elif module.room != "cli":
            assert "telemetry" not in rooms, module.name


def test_no_import_goes_in_a_circle() -> None:
    found = modules()
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join((*way, name))
        if name not in done:
            for following in sorted(found[name].imports):
                visit(following, (*way, name))
            done.add(name)

    for name in found:
        visit(name, ())


def test_the_data_path_knows_no_lock_of_several_processes() -> None:
    for module in inner():
        if module.room in DATA_PATH:
            assert "multiprocessing" not in module.foreign, module.name
            # The fence's lock belongs to one thread and protects nothing; the module says why.
            assert "threading" not in module.foreign or module.name == "memory.fence", module.name
            # A supervisor holds the lock of its own directory, to be seen to live, and a sweep that of the folder of
            # all; no actor ever asks for one.
            assert "fcntl" not in module.foreign or module.name == "memory.locks", module.name
            assert "memory.locks" not in module.imports or module.name == "memory.rundir", module.name


def test_nothing_at_all_uses_multiprocessing() -> None:
    assert not [module.name for module in modules().values() if "multiprocessing" in module.foreign]


NAMES_NUMPY = {f"channel.{name}": {"numpy"} for name in ("items", "lane", "slot_end")}


@pytest.mark.parametrize("room", sorted(DATA_PATH | {"supervisor"}))
def test_the_data_path_and_the_supervisor_need_psutil_only(room: str) -> None:
    chosen = {"typer", "rich", "pydantic", "flask", "waitress", "prometheus_client", "graphviz", "numpy", "click"}
    for module in inner():
        if module.room == room:
            # Only for types, and where somebody asks a lane for arrays: tests/unit/test_items.py proves it.
            assert module.foreign & chosen <= NAMES_NUMPY.get(module.name, set()), module.name


def test_the_example_uses_public_names_only() -> None:
    for module in modules("actors").values():
        own = {name for name in module.foreign if name.startswith(PACKAGE)}
        assert all(name.count(".") == 1 for name in own), (module.name, own)
