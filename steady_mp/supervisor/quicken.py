"""Quickening: a behavior's loop runs on CPython's fast instructions from its first turn.

CPython 3.11 puts specialised instructions into a function once it was called, or has jumped back, eight times. A
behavior is called once, and the jump at the end of a `while` with a condition is of a kind that does not count there:
so its loop would run on the slow general instructions for its whole life, at about twice the time. 3.12 and later
specialise every function, and nothing is done there.

What counts is the first instruction of a call, which is also where Python looks for exceptions raised from outside
of the thread (`PyThreadState_SetAsyncExc`). So the function is called eight times with one pending, and each call
ends there, before anything of the user's code runs.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import threading
from contextlib import suppress
from types import CellType, CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Whether this Python needs it.
NEEDED: Final = sys.implementation.name == "cpython" and sys.version_info[:2] == (3, 11)

#: Calls after which a function is specialised.
_CALLS: Final = 8


#: What is specialised already, here or in the process that has forked this one, by identity.
_DONE: Final[dict[int, CodeType]] = {}


class _StopHere(BaseException):
    """Raised at the first instruction of a call."""


def quicken(behavior: Callable[..., Any]) -> None:
    """Have the loop of `behavior` specialised before it runs; nothing of it is run."""
    if NEEDED and sys.gettrace() is None and sys.getprofile() is None:  # these would be told of the calls
        for function in _functions(behavior):
            code = function.__code__
            if id(code) not in _DONE:
                _call_in_vain(code)
                _DONE[id(code)] = code


def quicken_named(name: str) -> None:
    """Do the same for the behavior that is called ``module:name`` in a plan, if it is loaded here and can be found."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get("__mp_main__" if module == "__main__" else module)
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is not None:
        quicken(found)


def _functions(behavior: Any) -> Iterator[FunctionType]:  # noqa: ANN401 - anything that can be called
    """Find the functions that a call of `behavior` runs, those inside of decorators included."""
    while behavior is not None:
        if isinstance(behavior, functools.partial):
            behavior = behavior.func
        elif isinstance(behavior, MethodType):
            behavior = behavior.__func__
        elif isinstance(behavior, FunctionType):
            yield behavior
            behavior = getattr(behavior, "__wrapped__", None)
        else:
            behavior = vars(type(behavior)).get("__call__")
            if not isinstance(behavior, FunctionType):
                return


def _call_in_vain(code: CodeType) -> None:
    raise_in = ctypes.PyDLL(None).PyThreadState_SetAsyncExc
    raise_in.argtypes = [ctypes.c_ulong, ctypes.py_object]
    here = threading.get_ident()
    # A function of its own around the same code: no globals, and nothing bound, should a call come further.
    function = FunctionType(code, {}, closure=tuple(CellType() for _ in code.co_freevars) or None)
    function.__kwdefaults__ = dict.fromkeys(code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount])
    others = [[None]] * (code.co_argcount - 1)
    for _ in range(_CALLS):
        # Both maps are C: no instruction of Python lies between the order and the call. The order is never taken back
        # by NULL: 3.11 would then believe for good that one is pending, and look for it at each call and jump.
        with suppress(_StopHere):
            next(map(function, map(raise_in, [here], [_StopHere]), *others))
