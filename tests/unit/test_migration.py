"""States whose class has changed since they were saved: they become one of today, or it is said exactly why not."""

from __future__ import annotations

import dataclasses
import re
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import StateError
from steady_mp.state import StateBook, decode

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = sys.modules[__name__]
Seen = list[tuple[int, Any]]


@dataclass
class Flat:
    count: int = 3
    name: str = "x"


@dataclass
class Nested:
    items: list[int] = field(default_factory=lambda: [1, 2])


class Plain:
    def __init__(self) -> None:
        self.value = 5


def saved(*values: object) -> bytes:
    book = StateBook()
    for index, value in enumerate(values):
        book.acquire(index, lambda value=value: value)  # type: ignore[misc]
    data = book.encode()
    assert data is not None
    return data


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Callable[[type], None]:
    """Let the code have another class by the same name, as after an update."""

    def become(new: type) -> None:
        new.__module__ = __name__
        new.__qualname__ = new.__name__
        monkeypatch.setattr(HERE, new.__name__, new)

    return become


def recording(seen: Seen, answer: Callable[[Any], object]) -> Callable[[int, Any], object]:
    def migrate(old_version: int, data: Any) -> object:
        seen.append((old_version, data))
        return answer(data)

    return migrate


# Versions


@pytest.mark.parametrize(
    ("value", "data"),
    [(Flat(), {"count": 3, "name": "x"}), (Nested(), {"items": [1, 2]})],
    ids=["flat", "nested"],
)
def test_an_older_version_is_migrated_from_its_fields(
    value: object, data: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Seen = []
    snapshot = saved(value)
    monkeypatch.setattr(type(value), "state_version", 2, raising=False)
    monkeypatch.setattr(type(value), "migrate", staticmethod(recording(seen, lambda _: "new")), raising=False)
    assert decode(snapshot) == {0: "new"}
    assert seen == [(0, data)]


def test_a_field_that_is_gone_and_one_that_is_new(become: Callable[[type], None]) -> None:
    """The data is what was saved: nothing of today's class is in it."""
    snapshots = [saved(Flat(4, "y")), saved(Flat(), Nested(), Flat(4, "y"))]  # alone it is flat, beside a list not

    @dataclass
    class Later:
        total: int
        label: str = "today's"
        state_version = 1

        @classmethod
        def migrate(cls, old_version: int, data: dict[str, Any]) -> Later:
            assert old_version == 0
            assert data.keys() == {"count", "name"}
            return cls(total=data["count"] * 10)

    Later.__name__ = "Flat"
    become(Later)
    assert list(decode(snapshots[0]).values()) == [Later(40)]
    states = decode(snapshots[1])
    assert (states[0], states[2]) == (Later(30), Later(40))


def test_any_other_class_hands_over_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Seen = []
    snapshot = saved(Plain())
    monkeypatch.setattr(Plain, "state_version", 1, raising=False)
    monkeypatch.setattr(Plain, "migrate", staticmethod(recording(seen, lambda old: Flat(old.value))), raising=False)
    assert decode(snapshot) == {0: Flat(5)}
    assert type(seen[0][1]) is Plain


def test_what_was_migrated_is_saved_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = saved(Flat())
    seen: Seen = []
    monkeypatch.setattr(Flat, "state_version", 1, raising=False)
    monkeypatch.setattr(Flat, "migrate", staticmethod(recording(seen, lambda data: Flat(**data))), raising=False)
    book = StateBook(snapshot)
    assert book.acquire(0, pytest.fail) == Flat()
    again = book.encode()
    assert again is not None
    assert decode(again) == {0: Flat()}
    assert len(seen) == 1


def test_what_two_states_share_is_migrated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Nested()
    snapshot = saved(shared, shared)
    monkeypatch.setattr(Nested, "state_version", 1, raising=False)
    monkeypatch.setattr(Nested, "migrate", staticmethod(lambda _, data: Nested(**data)), raising=False)
    states = decode(snapshot)
    assert states[0] is states[1]


HOLDS = r"the snapshot holds .*test_migration:Flat version 0, the code has .*Flat version 1"


def test_without_a_way_from_there_to_here_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = saved(Flat())
    monkeypatch.setattr(Flat, "state_version", 1, raising=False)
    with pytest.raises(StateError, match=HOLDS + r" and no migrate\(old_version, data\) .*; add it"):
        decode(snapshot)


def test_a_migration_that_fails_is_an_error_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = saved(Flat())
    monkeypatch.setattr(Flat, "state_version", 1, raising=False)
    monkeypatch.setattr(Flat, "migrate", staticmethod(lambda _, data: data["total"]), raising=False)
    with pytest.raises(StateError, match=HOLDS + r", and its migrate\(0, data\) raised KeyError: 'total'"):
        decode(snapshot)
    monkeypatch.setattr(Flat, "migrate", staticmethod(lambda _, __: None))
    with pytest.raises(StateError, match=HOLDS + r", and its migrate\(0, data\) returned None"):
        decode(snapshot)


def test_what_is_newer_is_not_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flat, "migrate", staticmethod(lambda _, __: pytest.fail("not asked for")), raising=False)
    monkeypatch.setattr(Flat, "state_version", 2, raising=False)
    snapshot = saved(Flat())
    monkeypatch.setattr(Flat, "state_version", 1)
    with pytest.raises(StateError, match=r"Flat version 2, the code has .*Flat version 1: run the code"):
        decode(snapshot)


@dataclass(slots=True)
class Numbered:
    """Its version is a field by mistake, so the class itself has none."""

    state_version: int = 2


@pytest.mark.parametrize("version", ["a", None, True, 1.5, date(2024, 2, 29)])
def test_a_version_that_is_no_whole_number_is_refused_before_anything_is_saved(
    version: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Flat, "state_version", version, raising=False)
    with pytest.raises(StateError, match=re.escape(f"Flat: state_version {version!r} must be a whole number, and the")):
        saved(Flat())


def test_a_version_that_is_a_field_is_refused_with_how_to_write_it() -> None:
    with pytest.raises(StateError, match=r"Numbered: state_version .* must be .*: state_version = 1, no field of it$"):
        saved(Numbered())


# The same version with other fields


@pytest.mark.parametrize("beside", [[], [Nested()]], ids=["flat", "not flat"])
def test_new_fields_take_their_defaults(beside: list[object], become: Callable[[type], None]) -> None:
    snapshot = saved(Flat(9, "y"), *beside)

    @dataclass
    class Later:
        count: int
        name: str
        more: int = 7
        items: list[int] = field(default_factory=list)

    Later.__name__ = "Flat"
    become(Later)
    found: Any = decode(snapshot)[0]
    assert dataclasses.astuple(found) == (9, "y", 7, [])
    found.items.append(1)
    assert Later(1, "z").items == []


@pytest.mark.parametrize("beside", [[], [Nested()]], ids=["flat", "not flat"])
@pytest.mark.parametrize(("names", "wrong"), [(["count"], "name"), (["count", "name", "added"], "added")])
def test_a_field_that_is_gone_or_has_no_default_is_an_error(
    names: list[str], wrong: str, beside: list[object], become: Callable[[type], None]
) -> None:
    snapshot = saved(Flat(9, "y"), *beside)
    become(dataclasses.make_dataclass("Flat", [(name, int) for name in names]))
    with pytest.raises(StateError, match=rf"Flat was saved with other fields .*\({wrong}\): raise its state_version"):
        decode(snapshot)


# The class of another Python


def test_a_path_is_of_the_same_class_whichever_python_has_saved_it() -> None:
    heading, _, _ = saved(Path("/x")).partition(b"\n")
    assert heading == b'[[0, "pathlib:PosixPath", 0, null, null]]'
    assert decode(heading + b"\n\x80\x02(lcpathlib\nPosixPath\n(V/x\ntRa.") == {0: Path("/x")}
