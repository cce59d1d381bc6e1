"""Arguments of behaviors: pickled where the graph is built, with the path to what can't be."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from steady_mp import ConfigurationError, RxBundle
from steady_mp.packing import Declared, pack, unpack


@dataclass
class Options:
    rate: int = 1
    hook: Any = None
    nested: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Slotted:
    part: Any = None


class Single:
    __slots__ = "only"  # noqa: PLC0205 - one name as a plain string is allowed

    def __init__(self, only: Any) -> None:
        self.only = only


class Derived(Single):
    __slots__ = ("more", "never_set")

    def __init__(self, only: Any, more: Any) -> None:
        super().__init__(only)
        self.more = more


class Stubborn:
    """Refuses by itself; nothing in it is at fault."""

    def __reduce__(self) -> str:
        message = "not me"
        raise TypeError(message)


def behavior(*_args: object) -> None:
    """Do nothing."""


def refused(value: object, name: str = "options") -> str:
    with pytest.raises(ConfigurationError) as caught:
        pack("worker", behavior, [name], (value,))
    return str(caught.value)


def lock() -> Any:
    return threading.Lock()


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (lock(), "options"),
        ([1, lock()], "options[1]"),
        ((lock(),), "options[0]"),
        ({"a": 1, "b": lock()}, "options['b']"),
        ({"a": [{"b": (1, 2, lock())}]}, "options['a'][0]['b'][2]"),
        (Options(hook=lock()), "options.hook"),
        (Options(nested=[Options(hook={"k": lock()})]), "options.nested[0].hook['k']"),
        (Slotted(lock()), "options.part"),
        (Slotted([Slotted({1: lock()})]), "options.part[0].part[1]"),
        (Single(lock()), "options.only"),
        (Derived(1, lock()), "options.more"),
        (Derived(lock(), 1), "options.only"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_path_leads_to_what_cant_be_pickled(value: object, path: str) -> None:
    line = refused(value)
    assert line.startswith(f"actor 'worker': {path} is a _thread.lock, which can't be pickled (")
    assert line.endswith("; make it inside the behavior, or pass what it is made from")
    assert "\n" not in line


def test_what_refuses_by_itself_is_named_with_its_reason() -> None:
    assert f"options.hook is a {__name__}.Stubborn, which can't be pickled (not me)" in refused(
        Options(hook=Stubborn())
    )


def test_a_lambda_is_named_as_one_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    said = refused({"key": lambda: None})
    assert "options['key'] is a builtins.function" in said
    assert said.endswith("or pip install 'steady-mp[notebook]'")


def test_a_lambda_travels_with_its_code_where_the_extra_is_installed() -> None:
    pytest.importorskip("cloudpickle")
    factor = 3
    packed, met = pack("worker", behavior, ["options"], ({"key": lambda number: number * factor},))
    assert not met
    found, (options,) = unpack(packed, lambda *_: None)
    assert found is behavior
    assert options["key"](5) == 15
    told, met = pack("worker", lambda _actor, end: end, [], (Declared("tx", 4, "an end", 0),), by_value=True)
    assert [(end.kind, end.index) for end in met] == [("tx", 4)]
    assert unpack(told, lambda kind, index: f"{kind} {index}")[1] == ("tx 4",)


def test_an_open_file_does_not_travel_with_its_contents() -> None:
    pytest.importorskip("cloudpickle")
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123 - what somebody may hand over
        assert "options['file'] is a _io.TextIOWrapper" in refused({"file": file, "key": lambda: None})


def test_a_circle_ends() -> None:
    circle: list[Any] = [1]
    circle += [circle, lock()]
    assert "options[2] is a _thread.lock" in refused(circle)
    holder = Options()
    holder.nested = [holder, Stubborn()]
    assert "options.nested[1] is a" in refused(holder)


def test_an_element_of_a_set_and_a_key_lead_as_far_as_they_can() -> None:
    assert refused({Stubborn()}).startswith("actor 'worker': options[0] is a")
    assert refused({Stubborn(): 1}).startswith("actor 'worker': options is a builtins.dict")


def test_of_several_arguments_the_right_one_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"'worker': second is a _thread\.lock"):
        pack("worker", behavior, ["first", "second"], (1, lock()))


def test_a_behavior_that_cant_be_pickled_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(ConfigurationError, match="its behavior can't be pickled"):
        pack("worker", lambda _actor: None, [], ())


def test_an_error_without_words_is_named_by_its_class() -> None:
    class Mute:
        def __reduce__(self) -> str:
            raise KeyError

    assert "can't be pickled (KeyError)" in refused(Mute())


# Ends and states among the arguments


def declared(kind: Any, index: int) -> Declared:
    return Declared(kind, index, f"{kind} {index}", 1)


def test_ends_and_states_travel_as_references_however_deep() -> None:
    tx, rx, state = declared("tx", 0), declared("rx", 1), declared("state", 0)
    args = (tx, Options(nested=[{"rx": rx}], hook=(state, 7)), [tx])
    data, met = pack("worker", behavior, ["a", "b", "c"], args)
    assert met == [tx, state, rx]  # each once, in order
    found, live = unpack(data, lambda kind, index: f"live {kind} {index}")
    assert found is behavior
    assert live == ("live tx 0", Options(nested=[{"rx": "live rx 1"}], hook=("live state 0", 7)), ["live tx 0"])


def test_a_bundle_is_made_of_references_too() -> None:
    lanes: list[Any] = [declared("rx", index) for index in range(3)]
    data, met = pack("worker", behavior, ["lanes"], (RxBundle[int](lanes),))
    assert met == lanes
    _, (bundle,) = unpack(data, lambda kind, index: (kind, index))
    assert list(bundle) == [("rx", 0), ("rx", 1), ("rx", 2)]


def test_an_unpicklable_part_beside_a_reference_is_still_found() -> None:
    assert "options[1] is a _thread.lock" in refused([declared("tx", 0), lock()])


@pytest.mark.parametrize("use", [lambda end: end.send(1), lambda end: end.capacity, lambda end: end.acquire(dict)])
def test_a_reference_can_only_be_handed_on(use: Any) -> None:
    with pytest.raises(ConfigurationError, match="tx 0 is used by its actor's behavior while the graph runs"):
        use(declared("tx", 0))


def test_what_belongs_together_stays_together() -> None:
    shared = [1]
    data, _ = pack("worker", behavior, ["a", "b"], (shared, {"same": shared}))
    _, (first, second) = unpack(data, lambda *_: None)
    assert second["same"] is first
