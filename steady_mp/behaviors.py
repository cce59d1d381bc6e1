"""Behaviors: what they may be handed."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any

from steady_mp.channel.bytes_rx import BytesRx
from steady_mp.channel.bytes_tx import BytesTx
from steady_mp.channel.endpoints import Rx, Tx
from steady_mp.channel.lane import LaneRx, LaneTx
from steady_mp.errors import ConfigurationError
from steady_mp.packing import Declared
from steady_mp.state import SteadyState

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: dict[str, type] = {"tx": Tx, "rx": Rx, "state": SteadyState}
#: What the ends of channels are, by the channel's kind.
_ENDS: dict[str, dict[str, type]] = {"lane": {"tx": LaneTx, "rx": LaneRx}, "bytes": {"tx": BytesTx, "rx": BytesRx}}
_WANTED: dict[Any, str] = {
    Tx: "a sending end (Tx)",
    Rx: "a receiving end (Rx)",
    LaneTx: "the sending end of a lane (LaneTx), as channel(dtype=…) declares one,",
    LaneRx: "the receiving end of a lane (LaneRx), as channel(dtype=…) declares one,",
    BytesTx: "the sending end of a bytes lane (BytesTx), as channel(dtype=bytes) declares one,",
    BytesRx: "the receiving end of a bytes lane (BytesRx), as channel(dtype=bytes) declares one,",
    SteadyState: "a state",
}


def _live(declared: Declared) -> type:
    """Return what a reference will be in its actor's lives."""
    return _ENDS.get(declared.channel, _KINDS)[declared.kind]


def check_signature(actor: str, behavior: Callable[..., None], args: tuple[object, ...]) -> list[str]:
    """Return the parameter names of `args`, for messages; refuse what doesn't fit the signature, or would never run."""
    _check_plain(actor, behavior)
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
            if isinstance(part, Declared) and hint in _WANTED and hint not in _live(part).__mro__:
                message = f"actor {actor!r}: parameter {name!r} wants {_WANTED[hint]} and was given {part.label}"
                raise ConfigurationError(message)
    return names[1:]


def _check_plain(actor: str, behavior: Callable[..., None]) -> None:
    """Refuse what only makes a coroutine or a generator when it is called: such a life ends before its first line."""
    if inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior):
        what, mend = "is an async def", "make it a plain def, with asyncio.run(…) in it for what needs a loop"
    elif inspect.isgeneratorfunction(behavior):
        what, mend = "is a generator function (it has a yield)", "send what it yields"
    else:
        return
    called = getattr(behavior, "__qualname__", repr(behavior))
    raise ConfigurationError(f"actor {actor!r}: {called} {what}, so calling it runs none of its lines; {mend}")
