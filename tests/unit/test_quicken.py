"""Quickening: a behavior's loop is specialised before it runs, and nothing of it runs for that."""

from __future__ import annotations

import dis
import functools
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.supervisor import quicken as quickening
from steady_mp.supervisor.quicken import NEEDED, quicken, quicken_named

if TYPE_CHECKING:
    from collections.abc import Callable

RAN: list[object] = []


def fresh(kind: str) -> tuple[Callable[..., Any], Any]:
    """Return a behavior that nobody has called yet, and its code."""
    outer = kind

    def plain(actor: Any, rx: Any, limit: int = 3) -> None:
        RAN.append(outer)
        while actor.is_running():
            rx.take(limit)

    def keywords(actor: Any, *rest: Any, limit: int, name: str = "") -> None:
        RAN.append((rest, name))
        while actor.is_running():
            actor.take(limit)

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def around(*args: Any) -> Any:
            return function(*args)

        return around

    class Called:
        def __call__(self, actor: Any) -> None:
            RAN.append((self, actor))

        def method(self, actor: Any) -> None:
            RAN.append((self, actor))

    made: dict[str, tuple[Callable[..., Any], Any]] = {
        "plain": (plain, plain),
        "keywords": (keywords, keywords),
        "partial": (functools.partial(keywords, limit=1), keywords),
        "decorated": (decorated(plain), plain),
        "object": (Called(), Called.__call__),
        "method": (Called().method, Called.method),
    }
    behavior, function = made[kind]
    function.__code__ = function.__code__.replace()  # else all calls of `fresh` would share it
    return behavior, function.__code__


def first(code: Any) -> str:
    """Return the name that the instruction at a call's start has by now."""
    return next(i.opname for i in dis.get_instructions(code, adaptive=True) if i.opname.startswith("RESUME"))


@pytest.mark.parametrize("kind", ["plain", "keywords", "partial", "decorated", "object", "method"])
@pytest.mark.skipif(not NEEDED, reason="CPython 3.12 and later specialise every function")
def test_a_behavior_is_specialised_and_nothing_of_it_runs(kind: str) -> None:
    behavior, code = fresh(kind)
    assert first(code) == "RESUME"
    quicken(behavior)
    assert first(code) == "RESUME_QUICK"
    assert RAN == []


def named(actor: Any) -> None:
    """Do nothing, under a name that a plan can have."""


@pytest.mark.skipif(not NEEDED, reason="CPython 3.12 and later specialise every function")
def test_the_fork_server_does_it_by_name_for_all_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    module, code = sys.modules[__name__], named.__code__
    assert first(code) == "RESUME"
    for name in (f"{__name__}:missing", f"{__name__}:named.missing", "not.loaded:named", "nothing"):
        quicken_named(name)
    assert first(code) == "RESUME"
    quicken_named(f"{__name__}:named")
    assert first(code) == "RESUME_QUICK"
    monkeypatch.setattr(quickening, "_call_in_vain", RAN.append)
    quicken(module.named)  # each life does, and finds it done
    assert RAN == []


@pytest.mark.skipif(not NEEDED, reason="CPython 3.12 and later specialise every function")
def test_a_script_s_behavior_is_found_where_it_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    behavior, code = fresh("plain")
    module = types.ModuleType("__mp_main__")
    module.__dict__["run"] = behavior
    monkeypatch.setitem(sys.modules, "__mp_main__", module)
    quicken_named("__main__:run")
    assert first(code) == "RESUME_QUICK"


def test_what_has_no_python_code_is_left_alone() -> None:
    quicken(print)
    quicken(functools.partial(list))


def test_who_traces_calls_is_not_told_of_any() -> None:
    seen: list[str] = []
    behavior, _ = fresh("plain")
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, _: seen.append(frame.f_code.co_name) if event == "call" else None)
    try:
        quicken(behavior)
    finally:
        sys.setprofile(before)
    assert "plain" not in seen
    assert RAN == []


def test_it_runs_as_before() -> None:
    behavior, _ = fresh("plain")
    quicken(behavior)

    class Fake:
        left = 3

        def is_running(self) -> bool:
            self.left -= 1
            return self.left >= 0

        def take(self, limit: int) -> None:
            RAN.append(limit)

    try:
        behavior(Fake(), Fake(), 7)
        assert RAN == ["plain", 7, 7, 7]
    finally:
        RAN.clear()
