"""What this steady-mp can do beside object channels, found by asking it: rows for the rest are skipped by name."""

from __future__ import annotations

import importlib.util
import inspect
from typing import TYPE_CHECKING, Any, Final

import steady_mp
from steady_mp import ConfigurationError, Graph
from steady_mp.graph import Topology

if TYPE_CHECKING:
    from steady_mp import Rx, Tx


def _no_channel(kind: str, **settings: object) -> str | None:
    """Tell why `Graph.channel` can't be told `settings`; None when it can."""
    declare: Any = Topology("probe").channel
    try:
        declare(**settings)
    except (TypeError, ConfigurationError):
        return f"this steady-mp has no {kind}"
    return None


#: Seconds of looking before a sleep, where a row spins: several round trips.
_SPIN: Final = 100e-6

#: Why there is no row for a bytes lane, a typed lane, a pipeline on lanes; None when there is.
NO_BYTES_LANE: Final = _no_channel("bytes lane", dtype=bytes)
NO_LANE: Final = _no_channel("typed lane", dtype="q")
NO_PERFORMANT: Final = (
    None if importlib.util.find_spec("actors.performant") else "this steady-mp has no actors.performant"
)


def lane(graph: Graph, capacity: int, dtype: object, **settings: int) -> tuple[Tx[Any], Rx[Any]]:
    """Declare a lane: of values of fixed width, or, with `bytes` as `dtype`, of byte strings."""
    declare: Any = graph.channel
    ends: tuple[Tx[Any], Rx[Any]] = declare(capacity=capacity, dtype=dtype, **settings)
    return ends


def spin_then_park() -> dict[str, Any] | None:
    """Return what `Graph.actor` is told for an actor that looks for a while before it sleeps; None where it can't."""
    strategy = getattr(steady_mp, "WaitStrategy", None)
    if strategy is None or "wait_strategy" not in inspect.signature(Graph.actor).parameters:
        return None
    return {"wait_strategy": strategy(spin=_SPIN)}


def warm_spare(*, wanted: bool) -> dict[str, Any] | None:
    """Return what `Graph` is told to let a process stand by for the next restart, or not; None where it can't."""
    return {"spare": wanted} if "spare" in inspect.signature(Graph).parameters else None
