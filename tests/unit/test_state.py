"""States: what a commit keeps of them and what the next life finds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import ConfigurationError, StateError, SteadyState
from steady_mp.memory import layout
from steady_mp.state import StateBook, decode
from steady_mp.testing.rig import Party, Rig


@dataclass
class Counter:
    value: int = 0


@dataclass
class Holder:
    items: list[Any] = field(default_factory=list)


@dataclass
class Versioned:
    state_version = 1
    value: int = 0


@dataclass(slots=True)
class Slotted:
    value: int = 0


@dataclass
class Mixed(Slotted):
    """One field in a slot, and one beside it."""

    other: int = 0


class Custom:
    """Pickled in its own way."""

    def __init__(self) -> None:
        self.value = 1
        self.transient = "gone after a restart"

    def __getstate__(self) -> dict[str, int]:
        return {"value": self.value}


class Number(int):
    """A builtin with attributes of its own."""


class Node:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


def alone() -> Party:
    rig = Rig()
    party = rig.party("it")
    rig.start()
    return party


def next_life(value: object) -> Any:
    """Commit a state and return what the next life finds."""
    party = alone()
    party.state().acquire(lambda: value)
    party.turn.commit()
    party.begin()
    return party.state().acquire(lambda: pytest.fail("the state was kept"))


# Acquiring


def test_the_first_life_begins_with_init_and_the_next_with_the_commit() -> None:
    party = alone()
    counter = party.state().acquire(Counter)
    counter.value = 5
    party.turn.commit()
    counter.value = 6
    party.begin()
    assert party.state().acquire(Counter) == Counter(5)


def test_it_is_the_same_object_for_the_whole_life() -> None:
    party = alone()
    assert party.state().acquire(Counter) is party.state().acquire(Counter)


def test_a_life_that_never_committed_leaves_nothing() -> None:
    party = alone()
    party.state().acquire(lambda: Counter(7))
    party.begin()
    assert party.state().acquire(Counter) == Counter(0)


def test_a_state_that_the_next_life_does_not_acquire_is_kept_for_the_one_behind_it() -> None:
    party = alone()
    party.state(0).acquire(lambda: Counter(1))
    party.state(1).acquire(lambda: Holder([2]))
    party.turn.commit()
    party.begin()
    party.state(0).acquire(Counter).value = 3
    party.turn.commit()
    party.begin()
    assert party.state(1).acquire(Holder) == Holder([2])
    assert party.state(0).acquire(Counter) == Counter(3)


def test_replace_takes_the_place_of_what_cant_be_changed() -> None:
    party = alone()
    state = party.state()
    assert state.acquire(lambda: (1, 2)) == (1, 2)
    assert state.replace((3,)) == (3,)
    assert state.acquire(tuple) == (3,)
    party.turn.commit()
    party.begin()
    assert party.state().replace((4,)) == (4,)
    party.turn.commit()
    party.begin()
    assert party.state().acquire(tuple) == (4,)


def test_where_the_graph_is_built_there_is_no_state_yet() -> None:
    state = SteadyState[Counter]()
    with pytest.raises(ConfigurationError, match="while the graph runs"):
        state.acquire(Counter)
    with pytest.raises(ConfigurationError, match="while the graph runs"):
        state.replace(Counter())


@given(st.recursive(st.integers() | st.text() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_value_comes_back_as_it_was(value: object) -> None:
    assert next_life(value) == value


@pytest.mark.parametrize(
    "value",
    [Counter(3), Holder([1, Counter(2)]), Slotted(4), Versioned(5), 7, "text", None, True, {1: [2]}, (1, (2,))],
    ids=repr,
)
def test_values_of_all_kinds_come_back_with_their_type(value: object) -> None:
    found = next_life(value)
    assert found == value
    assert type(found) is type(value)


def test_a_class_that_pickles_in_its_own_way_is_asked_to() -> None:
    assert vars(next_life(Custom())) == {"value": 1}
    number = Number(3)
    number.label = "three"  # type: ignore[attr-defined]
    found = next_life(number)
    assert (found, found.label) == (3, "three")
    node = next_life(Node())
    assert node.me is node


@pytest.mark.parametrize("kind", [Counter, Mixed, Versioned])
@pytest.mark.parametrize("asked", [False, True])
def test_an_attribute_beside_the_fields_is_kept_also_where_somebody_has_asked_for_all(
    kind: type, *, asked: bool
) -> None:
    state = kind()
    state.extra = 5
    if asked:
        vars(state)
    found = next_life(state)
    assert found == state
    assert found.extra == 5


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.integers(), st.text(), st.none(), st.just([1])))),
)
def test_attributes_may_come_and_go_and_change_their_type(changes: list[tuple[str, Any]]) -> None:
    party = alone()
    counter = party.state().acquire(Counter)
    for name, value in changes:
        setattr(counter, name, value)
        party.turn.commit()
        party.begin()
        counter = party.state().acquire(Counter)
        assert getattr(counter, name) == value


# Two states in one actor


@pytest.mark.parametrize("make", [Counter, Holder, list], ids=["flat", "nested", "list"])
def test_what_two_states_share_stays_shared(make: type) -> None:
    party = alone()
    shared = party.state(0).acquire(make)
    party.state(1).acquire(lambda: shared)
    party.state(2).acquire(lambda: Holder([shared]))
    party.turn.commit()
    party.begin()
    first = party.state(0).acquire(make)
    assert party.state(1).acquire(make) is first
    assert party.state(2).acquire(Holder).items[0] is first


def test_two_states_that_are_the_same_object_alone_stay_so() -> None:
    party = alone()
    shared = party.state(0).acquire(Counter)
    party.state(1).acquire(lambda: shared)
    party.turn.commit()
    party.begin()
    assert party.state(0).acquire(Counter) is party.state(1).acquire(Counter)


def test_states_that_share_nothing_are_apart() -> None:
    party = alone()
    party.state(0).acquire(Counter)
    party.state(1).acquire(Counter)
    party.turn.commit()
    party.begin()
    assert party.state(0).acquire(Counter) is not party.state(1).acquire(Counter)


# When a snapshot is written


def test_a_state_that_did_not_change_is_not_written_again() -> None:
    party = alone()
    counter = party.state().acquire(Counter)
    party.turn.commit()
    journal = party.control.journal()
    epoch = party.control.epoch
    party.turn.commit()
    assert party.control.epoch == epoch
    counter.value += 1
    party.turn.commit()
    assert party.control.epoch == epoch + 1
    assert party.control.journal().snapshot_slot != journal.snapshot_slot


def test_messages_alone_leave_the_snapshot_where_it_is() -> None:
    rig = Rig()
    source, sink = rig.party("source"), rig.party("sink")
    channel = rig.channel(source, sink)
    rig.start()
    source.state().acquire(lambda: Counter(9))
    source.turn.commit()
    before = source.control.journal()
    source.send(channel, 1)
    after = source.control.journal()
    assert after.cursors != before.cursors
    assert after[:3] == before[:3]
    source.begin()
    assert source.state().acquire(Counter) == Counter(9)


def test_a_fresh_life_does_not_write_what_it_read() -> None:
    party = alone()
    party.state().acquire(lambda: {"a": [1, 2]})
    party.turn.commit()
    epoch = party.control.epoch
    party.begin()
    party.state().acquire(dict)
    party.turn.commit()
    assert party.control.epoch == epoch


# What can't be kept


def test_a_state_that_cant_be_pickled_names_its_class_at_the_first_commit() -> None:
    party = alone()
    party.state().acquire(lambda: Holder([threading.Lock()]))
    for _ in range(2):  # and at each one behind it
        with pytest.raises(StateError, match=r"the state .*test_state.Holder can't be pickled: .*lock"):
            party.turn.commit()
    assert party.control.epoch == 0


@pytest.mark.parametrize("decorate", [dataclass, lambda kind: kind], ids=["dataclass", "class"])
def test_a_class_that_nobody_can_import_is_refused_at_the_first_commit(decorate: Any) -> None:
    @decorate
    class Local:
        value: int = 1

    party = alone()
    party.state().acquire(Local)
    with pytest.raises(StateError, match=r"Local can't be pickled"):
        party.turn.commit()


def test_a_commit_that_could_not_write_the_snapshot_does_not_count_as_one() -> None:
    """An actor may catch the error and go on: the next commit must not leave the state behind."""
    rig = Rig()
    source, sink = rig.party("source"), rig.party("sink")
    channel = rig.channel(source, sink)
    back = rig.channel(sink, source)
    rig.start()
    for number in range(3):
        sink.send(back, number)
    counter = source.state().acquire(Counter)
    counter.value = 1
    assert source.rx(back).take_slice(3) == [0, 1, 2]
    source.tx(channel).send("one")
    write = source.snapshots.write

    def full(slot: int, data: bytes) -> int:
        message = f"no room for {len(data)} bytes in slot {slot}"
        raise StateError(message)

    source.turn._snapshots = type("Full", (), {"write": staticmethod(full)})()
    with pytest.raises(StateError):
        source.turn.commit()
    source.turn._snapshots = type("Free", (), {"write": staticmethod(write)})()
    source.turn.commit()
    source.begin()
    assert source.state().acquire(Counter) == Counter(1)
    assert sink.take(channel) == ["one"]
    assert source.rx(back).position() == 3
    assert rig.words(back)[layout.HEAD_POS] == rig.words(back)[layout.TAIL_POS]


# What can't be read back


def snapshot_of(*values: object) -> bytes:
    book = StateBook()
    for index, value in enumerate(values):
        book.acquire(index, lambda value=value: value)  # type: ignore[misc]
    data = book.encode()
    assert data is not None
    return data


@pytest.mark.parametrize("value", [Counter(1), Holder([1]), Slotted(1)], ids=repr)
def test_a_class_that_was_renamed_is_an_error_that_names_it(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    data = snapshot_of(value)
    name = type(value).__name__
    monkeypatch.delattr(f"{__name__}.{name}")
    with pytest.raises(StateError, match=rf"the snapshot of .*test_state.{name} can't be read: AttributeError"):
        decode(data)


def test_a_class_that_has_become_another_one_is_an_error() -> None:
    data = snapshot_of(Counter(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.Counter", Versioned)
        with pytest.raises(StateError, match=r"the snapshot holds .*Counter version 0, the code has .*Versioned"):
            decode(data)


def test_another_version_is_an_error_that_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    data = snapshot_of(Counter(2), Versioned(1))
    monkeypatch.setattr(Versioned, "state_version", 2)
    with pytest.raises(StateError, match=r"Versioned version 1, the code has .*Versioned version 2"):
        decode(data)


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n", b"5\n", b"[1]\n", b"null\n", b"\xff\n", b'[[0, "a"]]\nx'])
def test_a_heading_that_makes_no_sense_is_an_error(data: bytes) -> None:
    with pytest.raises(StateError):
        decode(data)


@given(st.data())
def test_a_truncated_snapshot_is_an_error_or_was_complete(data: st.DataObject) -> None:
    whole = snapshot_of(Counter(1), Holder(["x" * 30]))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(StateError):
        decode(whole[:cut])


def test_each_snapshot_of_an_only_state_that_is_not_flat_says_what_it_holds() -> None:
    book = StateBook()
    holder = book.acquire(0, Holder)
    assert isinstance(holder, Holder)
    for number in range(200):  # the first in full, most of the others by the short way
        holder.items.append(number)
        book.kept = snapshot = book.encode()
        assert snapshot is not None
        assert decode(snapshot) == {0: holder}
        assert book.encode() is None
    book.values[0] = Counter(7)
    book.kept = snapshot = book.encode()
    assert snapshot is not None
    assert decode(snapshot) == {0: Counter(7)}
    second = book.acquire(1, Holder)
    snapshot = book.encode()
    assert snapshot is not None
    assert decode(snapshot) == {0: Counter(7), 1: second}
