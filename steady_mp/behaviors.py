"""Behaviors: what they may be handed."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any

from steady_mp.channel.endpoints import Rx, Tx
from steady_mp.errors import ConfigurationError
from steady_mp.packing import Declared
from steady_mp.state import SteadyState

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: dict[str, type] = {"tx": Tx, "rx": Rx, "state": SteadyState}
_WANTED: dict[Any, str] = {Tx: "a sending end (Tx)", Rx: "a receiving end (Rx)", SteadyState: "a state"}


def check_signature(actor: str, behavior: Callable[..., None], args: tuple[object, ...]) -> list[str]:
    """Return the parameter names of `args`, for messages; refuse what doesn't fit the signature."""
    signature = inspect.signature(behavior)
    try:
        bound = signature.bind(None, *args)
    except TypeError as error:
        called = getattr(behavior, "__qualname__", repr(behavior))
        message = f"actor {actor!r}: {called}(actor, …) can't take {len(args)} arguments: {error}"
        raise ConfigurationError(message) from None
    try:
        hints = typing.get_type_hints(behavior)
    except Exception:  # noqa: BLE001 - a hint that can't be resolved here is no fault of the graph
        hints = {}
    names: list[str] = []
    for name, value in bound.arguments.items():
        values = value if signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL else (value,)
        names += [name] * len(values)
        hint = typing.get_origin(hints.get(name)) or hints.get(name)
        for part in values:
            if isinstance(part, Declared) and hint in _WANTED and _KINDS[part.kind] is not hint:
                message = f"actor {actor!r}: parameter {name!r} wants {_WANTED[hint]} and was given {part.label}"
                raise ConfigurationError(message)
    return names[1:]
