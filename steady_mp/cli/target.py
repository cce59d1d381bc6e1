"""What to run: finds `package.module:build_graph`; every way in which that can fail has a line of its own."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import inspect
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

DEFAULT_TARGET: Final = "actors:build_graph"
DEFAULT_FUNCTION: Final = "build_graph"
CHECK: Final = "check_report"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A function that builds a graph, and the class of the arguments that it takes beside the graph."""

    module: str
    function: str
    build: Callable[..., object]
    args: type | None
    """The module's `Args` dataclass; None where it has none, and the function takes the graph alone."""
    check: object = None
    """The module's `check_report`, whatever it is; None where it has none. `verdict` knows what to do with it."""

    def __str__(self) -> str:
        return f"{self.module}:{self.function}"


def load_target(text: str) -> Target:
    """Import the module that `text` names, from the working folder or the Python path, and look its function up."""
    module_name, function = split_target(text)
    module = _import(module_name)
    build = getattr(module, function, None)
    if build is None:
        raise ConfigurationError(f"{module_name} has no function {function}; {_other_function(module)}")
    if not callable(build):
        raise ConfigurationError(
            f"{module_name}:{function} is no function, it is of type {type(build).__name__}; "
            "a target is a function that takes the graph and declares its actors"
        )
    target = Target(
        module=module_name, function=function, build=build, args=_args_of(module), check=getattr(module, CHECK, None)
    )
    _check_signature(target)
    return target


def split_target(text: str) -> tuple[str, str]:
    """Module and function of a target; a module alone means its `build_graph`."""
    module, colon, function = text.partition(":")
    function = function if colon else DEFAULT_FUNCTION
    is_file = "/" in module or (module.endswith(".py") and Path(module).exists())
    if looks_like_target(f"{module}:{function}") and not is_file:
        return module, function
    if is_file:
        dotted = ".".join(part for part in Path(module).with_suffix("").parts if part not in ("/", ".", ".."))
        raise ConfigurationError(f"{text!r} is a file; name its module instead, like {dotted}:{function}")
    raise ConfigurationError(f"{text!r} is no target; write it as package.module:{DEFAULT_FUNCTION}")


def looks_like_target(text: str) -> bool:
    """Whether a word reads as `package.module:function` or `package.module`."""
    module, colon, function = text.partition(":")
    return all(part.isidentifier() for part in module.split(".")) and (not colon or function.isidentifier())


def _import(name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as `python -m` does it; an absolute path, because the actors inherit it
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise ConfigurationError(
                f"there is no module {error.name}; looked in {folder} and on the Python path: "
                "go to the folder that has it, or install it"
            ) from None
        raise ConfigurationError(_import_failed(name, error)) from None
    except (KeyboardInterrupt, ConfigurationError):
        raise
    except BaseException as error:  # noqa: BLE001 - a module can raise anything, SystemExit included
        raise ConfigurationError(_import_failed(name, error)) from None


def _import_failed(name: str, error: BaseException) -> str:
    return f"importing {name} failed: {describe(error)}; `python -c 'import {name}'` shows the whole of it"


def describe(error: BaseException) -> str:
    """An exception of somebody else's code in one line: its type, what it says, and where it was raised."""
    says = " ".join(str(error).split())
    name = type(error).__name__
    text = f"{name}: {says}" if says else name
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) or not frames:  # a syntax error says itself where it stands
        return text
    return f"{text} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"


def _other_function(module: ModuleType) -> str:
    functions = [name for name, each in vars(module).items() if inspect.isfunction(each) and not name.startswith("_")]
    near = difflib.get_close_matches(DEFAULT_FUNCTION, functions, n=1, cutoff=0.0)
    return f"did you mean {module.__name__}:{near[0]}?" if near else "it has no functions at all"


def _args_of(module: ModuleType) -> type | None:
    args = getattr(module, "Args", None)
    if args is None:
        return None
    if not (isinstance(args, type) and dataclasses.is_dataclass(args)):
        raise ConfigurationError(f"{module.__name__}.Args is no dataclass; write @dataclass(frozen=True) above it")
    return args


def _check_signature(target: Target) -> None:
    try:
        signature = inspect.signature(target.build)
    except ValueError:  # a builtin that can't say what it takes
        return
    arguments = ("graph",) if target.args is None else ("graph", "args")
    try:
        signature.bind(*arguments)
    except TypeError as error:
        why = f"{target.module} has {'no' if target.args is None else 'an'} Args dataclass"
        raise ConfigurationError(
            f"{target} can't be called as {target.function}({', '.join(arguments)}): {error}; {why}"
        ) from None
