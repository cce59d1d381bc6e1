"""Topology: channels and actors declared as data. No process starts here."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from steady_mp import byvalue, checks
from steady_mp.behaviors import check_signature
from steady_mp.cadence import CommitEvery
from steady_mp.channel.bundle import RxBundle, TxBundle
from steady_mp.channel.kinds import shape_of
from steady_mp.drafts import ActorDraft, ChannelDraft, ends_and_states
from steady_mp.errors import ConfigurationError
from steady_mp.memory.layout import PAGE
from steady_mp.monitors import (
    ACTOR_METRICS,
    CHANNEL_METRICS,
    DEFAULT_ACTOR_MONITORS,
    DEFAULT_CHANNEL_MONITORS,
    Watching,
)
from steady_mp.packing import Declared, pack
from steady_mp.plan import MOST_DEATHS, ChannelPlan, Plan
from steady_mp.policy import RestartPolicy
from steady_mp.recycling import Recycle
from steady_mp.wait_strategy import WaitStrategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FunctionType

    import numpy as np

    from steady_mp.channel.bytes_rx import BytesRx
    from steady_mp.channel.bytes_tx import BytesTx
    from steady_mp.channel.endpoints import Rx, Tx
    from steady_mp.channel.items import FloatCode, IntCode
    from steady_mp.channel.lane import LaneRx, LaneTx
    from steady_mp.monitors import Alert, Monitor
    from steady_mp.state import SteadyState

T = TypeVar("T")

_MOST_CAPACITY = 1 << 30
_LEAST_STALL, _MOST_STALL = 0.05, 1e6
_MOST_RING = 1 << 40
#: Bytes of a ring, at least, where nobody said how many.
RING = 1 << 20
_DIRECTIONS = {"tx": "the sending end", "rx": "the receiving end"}
LOG_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Topology:
    """Actors and the channels between them, declared one by one and checked as a whole by `plan`."""

    def __init__(  # noqa: PLR0913 - keyword only
        self,
        name: str = "graph",
        *,
        shutdown_timeout: float = 15.0,
        log_level: str = "info",
        refresh: float = 0.5,
        window: float = 10.0,
        spare: bool = True,
    ) -> None:
        """Begin an empty graph.

        `shutdown_timeout` is how many seconds a requested shutdown may take before the actors that
        refuse are killed. `log_level` (debug, info, warning, error) is that of the actors' loggers.
        Telemetry looks every `refresh` seconds, and its statistics are over the last `window` seconds.
        Without `spare` no process stands by for the next restart, which then takes as long as a fork.
        Raises ConfigurationError for a name, a level or a number of seconds that can't be.
        """
        checks.check_name("graph", name)
        if log_level not in LOG_LEVELS:
            message = f"log_level {log_level!r}: must be one of {', '.join(LOG_LEVELS)}"
            raise ConfigurationError(message)
        self.name = name
        self.shutdown_timeout = checks.check_timeout(shutdown_timeout)
        self.log_level = log_level
        self.refresh = checks.check_pace("refresh", refresh, 0.05, 60)
        self.window = checks.check_pace("window", window, self.refresh, 3600)
        self.spare = bool(spare)
        self._channels: list[ChannelDraft] = []
        self._actors: list[ActorDraft] = []
        self._states = 0
        self._owners: dict[tuple[str, int], int] = {}
        self._identity = next(Declared.makers)
        #: Kills that tests plan, by actor: see `Plan.faults`.
        self.faults: dict[str, list[dict[str, Any]]] = {}
        #: Files that lie in the run directory from the very start, by name: for whoever starts this graph.
        self.beside: dict[str, bytes] = {}

    # Declaring

    @overload
    def channel(
        self,
        capacity: int = ...,
        *,
        name: str | None = ...,
        ring_bytes: int | None = ...,
        dtype: None = ...,
        monitors: Sequence[Monitor] = ...,
        alerts: Sequence[Alert] = ...,
        showstopper: checks.Showstopper | None = ...,
        showstopper_after: int = ...,
    ) -> tuple[Tx[Any], Rx[Any]]: ...

    @overload
    def channel(
        self,
        capacity: int = ...,
        *,
        name: str | None = ...,
        dtype: IntCode,
        mirror: bool = ...,
        monitors: Sequence[Monitor] = ...,
        alerts: Sequence[Alert] = ...,
        showstopper: checks.Showstopper | None = ...,
        showstopper_after: int = ...,
    ) -> tuple[LaneTx[int], LaneRx[int]]: ...

    @overload
    def channel(
        self,
        capacity: int = ...,
        *,
        name: str | None = ...,
        dtype: FloatCode,
        mirror: bool = ...,
        monitors: Sequence[Monitor] = ...,
        alerts: Sequence[Alert] = ...,
        showstopper: checks.Showstopper | None = ...,
        showstopper_after: int = ...,
    ) -> tuple[LaneTx[float], LaneRx[float]]: ...

    @overload
    def channel(
        self,
        capacity: int = ...,
        *,
        name: str | None = ...,
        ring_bytes: int | None = ...,
        dtype: type[bytes],
        monitors: Sequence[Monitor] = ...,
        alerts: Sequence[Alert] = ...,
        showstopper: checks.Showstopper | None = ...,
        showstopper_after: int = ...,
    ) -> tuple[BytesTx, BytesRx]: ...

    @overload
    def channel(
        self,
        capacity: int = ...,
        *,
        name: str | None = ...,
        dtype: str | np.dtype[Any] | type[np.generic],
        mirror: bool = ...,
        monitors: Sequence[Monitor] = ...,
        alerts: Sequence[Alert] = ...,
        showstopper: checks.Showstopper | None = ...,
        showstopper_after: int = ...,
    ) -> tuple[LaneTx[Any], LaneRx[Any]]: ...

    def channel(  # noqa: PLR0913 - what a channel can be told
        self,
        capacity: int = 64,
        *,
        name: str | None = None,
        ring_bytes: int | None = None,
        dtype: object = None,
        mirror: bool = False,
        monitors: Sequence[Monitor] = DEFAULT_CHANNEL_MONITORS,
        alerts: Sequence[Alert] = (),
        showstopper: checks.Showstopper | None = None,
        showstopper_after: int = 3,
    ) -> tuple[Tx[Any], Rx[Any]]:
        """Declare a channel and return its two ends, to be handed to two actors; no other has its `name`.

        It holds at most `capacity` messages, and at most `ring_bytes` bytes of them pickled (default:
        1 MiB, or 64 bytes a message if that is more), which is also the limit for one message.
        With a `dtype` it is a *lane*: a channel of items of one size that are not pickled (`LaneTx`, `LaneRx`). That is
        a format of `struct` ("Q", "d", "Qd") or a `numpy.dtype`; with `mirror` (Linux) its views never wrap. With
        ``dtype=bytes`` it is a *bytes lane* (`BytesTx`, `BytesRx`): bytes of any length up to half of `ring_bytes`.
        Telemetry shows its `monitors` and colours it while one of its `alerts` holds.

        A message that was in hand at `showstopper_after` deaths of its receiver in a row (0: it is never counted) is
        a showstopper: it goes to the dead letters, or it stops the graph (`stop`), or it is dropped (`skip`). On lanes,
        whose messages can't be put aside, it stops the graph. Raises ConfigurationError for what an option can't be,
        and where the machine can't `mirror`.
        """
        checks.check_count("capacity", capacity, 1, _MOST_CAPACITY)
        if name is not None:
            checks.check_name("channel", name)
        if ring_bytes is not None:
            checks.check_count("ring_bytes", ring_bytes, PAGE, _MOST_RING)
        shape = shape_of(dtype, mirror=mirror)
        size = shape.ring_bytes(capacity, ring_bytes, least=RING)
        index = len(self._channels)
        label = f"channel {name!r}" if name else f"channel {index}"
        watching = Watching.checked(label, CHANNEL_METRICS, monitors, alerts)
        checks.check_count(f"{label}: showstopper_after", showstopper_after, 0, MOST_DEATHS)
        showstopper = checks.check_showstopper(label, showstopper, shape)
        self._channels.append(ChannelDraft(name, capacity, size, shape, watching, showstopper, showstopper_after))
        tx = Declared("tx", index, f"the sending end of {label}", self._identity, shape.kind)
        rx = Declared("rx", index, f"the receiving end of {label}", self._identity, shape.kind)
        return cast("Tx[Any]", tx), cast("Rx[Any]", rx)

    def channel_bundle(  # noqa: PLR0913 - what a channel takes, and the number of them
        self,
        lanes: int,
        capacity: int = 64,
        *,
        name: str | None = None,
        ring_bytes: int | None = None,
        dtype: str | np.dtype[Any] | type[np.generic | bytes] | None = None,
        mirror: bool = False,
        monitors: Sequence[Monitor] = DEFAULT_CHANNEL_MONITORS,
        alerts: Sequence[Alert] = (),
        showstopper: checks.Showstopper | None = None,
        showstopper_after: int = 3,
    ) -> tuple[TxBundle[Any], RxBundle[Any]]:
        """Declare `lanes` channels like `channel` and return two bundles of their ends.

        Either bundle may go to one actor, or its ends, by index, to several. A lane of a bundle may be of any kind.
        """
        checks.check_count("lanes", lanes, 1, 1 << 16)
        declare: Callable[..., tuple[Tx[Any], Rx[Any]]] = self.channel
        ends = [
            declare(
                capacity,
                name=f"{name}[{lane}]" if name else None,
                ring_bytes=ring_bytes,
                dtype=dtype,
                mirror=mirror,
                monitors=monitors,
                alerts=alerts,
                showstopper=showstopper,
                showstopper_after=showstopper_after,
            )
            for lane in range(lanes)
        ]
        return TxBundle([tx for tx, _ in ends]), RxBundle([rx for _, rx in ends])

    def state(self) -> SteadyState[Any]:
        """Declare a state, to be handed to one actor; `SteadyState.acquire` says what it can be."""
        self._states += 1
        state = Declared("state", self._states - 1, f"state {self._states - 1}", self._identity)
        return cast("SteadyState[Any]", state)

    def actor(  # noqa: PLR0913 - what there is to say about an actor
        self,
        name: str,
        behavior: Callable[..., None],
        *args: object,
        restart: RestartPolicy | None = None,
        commit_every: CommitEvery | None = None,
        recycle: Recycle | None = None,
        stall_timeout: float | None = None,
        monitors: Sequence[Monitor] = DEFAULT_ACTOR_MONITORS,
        alerts: Sequence[Alert] = (),
        wait_strategy: WaitStrategy | None = None,
    ) -> None:
        """Declare an actor: one process that runs ``behavior(actor, *args)``.

        `behavior` is a plain function that can be imported (any function, with the extra `notebook`).
        The arguments are pickled here and now; the ends and states among them, however deep, become the
        live ones in each life. `restart` says what follows a death, `commit_every` spaces its commits
        (what it sends stays unseen until then), and `recycle` says when it begins a fresh life though
        nothing has failed. Telemetry shows its `monitors` and colours it while one of its `alerts` holds.
        It sleeps where it has to wait, unless `wait_strategy` says otherwise.

        With `stall_timeout` it is killed, and restarted from its last commit, when it was so many seconds in its own
        code without having looked up (`is_running`, `commit`, or a wait), or stood still as long (SIGSTOP): give it
        more than its longest turn takes, and its start. One that waits is never killed, nor one that is debugged.

        Raises ConfigurationError for a name used twice, a behavior that can't be imported or is a generator or an
        async def, arguments that don't fit its signature or can't be pickled, and ends that another actor has.
        """
        checks.check_name("actor", name)
        if any(actor.name == name for actor in self._actors):
            message = f"actor {name!r}: the name is taken; give each actor its own"
            raise ConfigurationError(message)
        label = f"actor {name!r}"
        watching = Watching.checked(label, ACTOR_METRICS, monitors, alerts)
        checks.check_kinds(
            label,
            restart=(restart, RestartPolicy),
            commit_every=(commit_every, CommitEvery),
            recycle=(recycle, Recycle),
            wait_strategy=(wait_strategy, WaitStrategy),
        )
        if stall_timeout is not None:
            stall_timeout = checks.check_pace(f"{label}: stall_timeout", stall_timeout, _LEAST_STALL, _MOST_STALL)
        reference, by_value = byvalue.check_behavior(name, behavior)
        names = check_signature(name, behavior, args)
        packed, met = pack(name, behavior, names, args, by_value=by_value)
        for end in met:
            self._check_free(name, end)
        policy, wait = restart or RestartPolicy(), wait_strategy or WaitStrategy()
        typed = byvalue.is_typed(cast("FunctionType", behavior))
        ends, states = ends_and_states(met)
        draft = ActorDraft(
            name, reference, packed, ends, states, policy, watching, commit_every, recycle, stall_timeout, wait, typed
        )
        self._owners.update(((end.kind, end.index), len(self._actors)) for end in met)  # only where nothing was refused
        self._actors.append(draft)

    def _check_free(self, name: str, end: Declared) -> None:
        if end.graph != self._identity:
            message = f"actor {name!r}: {end.label} belongs to another graph"
            raise ConfigurationError(message)
        owner = self._owners.get((end.kind, end.index))
        if owner is not None:
            message = (
                f"actor {name!r}: {end.label} belongs to actor {self._actors[owner].name!r} already; "
                "declare one channel (or state) for each pair of actors"
            )
            raise ConfigurationError(message)

    # Checking as a whole

    def plan(self) -> Plan:
        """Check the graph as a whole and return it as plain data. Raises ConfigurationError."""
        if not self._actors:
            message = f"graph {self.name!r} has no actor: declare one with graph.actor(name, behavior, …)"
            raise ConfigurationError(message)
        modules, main = self._modules()
        return Plan(
            graph=self.name,
            actors=tuple(actor.plan() for actor in self._actors),
            channels=self._channel_plans(),
            log_level=LOG_LEVELS[self.log_level],
            path=_path(),
            modules=modules,
            refresh=self.refresh,
            window=self.window,
            spare=self.spare,
            main=main,
            faults=self.faults,
        )

    def _channel_plans(self) -> tuple[ChannelPlan, ...]:
        plans: list[ChannelPlan] = []
        names: set[str] = set()
        seen: dict[tuple[int, int], int] = {}
        for index, channel in enumerate(self._channels):
            ends = {}
            for kind in ("tx", "rx"):
                owner = self._owners.get((kind, index))
                if owner is None:
                    label = f"channel {channel.name!r}" if channel.name else f"channel {index}"
                    message = (
                        f"{_DIRECTIONS[kind]} of {label} (capacity {channel.capacity}) has no actor: hand it to one"
                    )
                    raise ConfigurationError(message)
                ends[kind] = owner
            pair = (ends["tx"], ends["rx"])
            seen[pair] = seen.get(pair, 0) + 1
            default = f"{self._actors[pair[0]].name}→{self._actors[pair[1]].name}"
            if seen[pair] > 1:
                default += f"#{seen[pair]}"
            plans.append(channel.plan(default, *pair))
            if plans[-1].name in names:
                message = f"two channels are called {plans[-1].name!r}: give each its own name"
                raise ConfigurationError(message)
            names.add(plans[-1].name)
        return tuple(plans)

    def _modules(self) -> tuple[tuple[str, ...], tuple[str, str] | None]:
        """Return the modules to preload, and how to find the main one if an actor needs it."""
        modules = dict.fromkeys(actor.behavior.partition(":")[0] for actor in self._actors)
        needs_main = "__main__" in modules or any(b"__main__" in actor.packed for actor in self._actors)
        modules.pop("__main__", None)
        main = None if any(actor.is_typed for actor in self._actors) else byvalue.main_location()
        if main is None and byvalue.is_available():
            main = (byvalue.SESSION, byvalue.MAIN_FILE)
        return tuple(modules), main if needs_main else None

    @property
    def packed(self) -> list[bytes]:
        """Each actor's behavior and arguments, pickled."""
        return [actor.packed for actor in self._actors]

    @property
    def policies(self) -> list[RestartPolicy]:
        """Each actor's restart policy."""
        return [actor.restart for actor in self._actors]


def _path() -> tuple[str, ...]:
    """Return where modules are looked for, without what Python passes over there (a `Path`, say)."""
    entries: Sequence[object] = sys.path
    return tuple(entry for entry in entries if isinstance(entry, str))
