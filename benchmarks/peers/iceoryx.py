"""iceoryx2: publish and subscribe over shared memory, with its event service for the wake-up.

Bounded and without loss: no overflow, and a publisher that retries until its message is delivered. The
receiver asks first and sleeps in the listener when there is nothing; therefore each message is notified.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import pickle
import time
from typing import TYPE_CHECKING, Any

from benchmarks.peer import Link, Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerContext

#: Processes that may be connected, replacements of killed ones counted too.
_NODES = 64
_PORTS = 16
#: Seconds that the sending side waits for the receiving one, and between two looks.
_PATIENCE = 10.0
_LOOK = 0.001
#: Milliseconds after which a receiver that sleeps looks again.
_AGAIN = 200


class _Ends:
    """A node with its publish-subscribe service and its event service, in one process."""

    def __init__(self, name: str, capacity: int) -> None:
        import iceoryx2  # noqa: PLC0415 - the bench extra may be absent

        self.library = iceoryx2
        iceoryx2.set_log_level(iceoryx2.LogLevel.Fatal)
        self.node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
        self.service = (
            self.node.service_builder(iceoryx2.ServiceName.new(name))
            .publish_subscribe(iceoryx2.Slice[ctypes.c_uint8])
            .enable_safe_overflow(False)  # noqa: FBT003 - its own way
            .subscriber_max_buffer_size(capacity)
            .max_publishers(_PORTS)
            .max_subscribers(_PORTS)
            .max_nodes(_NODES)
            .history_size(0)
            .open_or_create()
        )
        self.events = (
            self.node.service_builder(iceoryx2.ServiceName.new(name))
            .event()
            .max_notifiers(_PORTS)
            .max_listeners(_PORTS)
            .max_nodes(_NODES)
            .open_or_create()
        )

    def publisher(self, size: int) -> Any:  # noqa: ANN401 - the package has no types
        strategies = self.library.BackpressureStrategy, self.library.AllocationStrategy
        return (
            self.service.publisher_builder()
            .initial_max_slice_len(size)
            .allocation_strategy(strategies[1].PowerOfTwo)
            .backpressure_strategy(strategies[0].RetryUntilDelivered)
            .create()
        )

    def await_subscriber(self) -> None:
        """Wait until somebody listens: what is published before that reaches nobody."""
        deadline = time.monotonic() + _PATIENCE
        while not self.service.dynamic_config.number_of_subscribers:
            if time.monotonic() > deadline:
                message = "nobody has subscribed"
                raise TimeoutError(message)
            time.sleep(_LOOK)


class _IceoryxLink(Link):
    def __init__(self, name: str, capacity: int, size: int, *, pickled: bool) -> None:
        self._name = name
        self._capacity = capacity
        self._size = size
        self._pickled = pickled
        self._held: list[Any] = []  # what must not be collected while the process runs

    def sender(self) -> Callable[[Any], object]:
        ends = _Ends(self._name, self._capacity)
        publisher = ends.publisher(self._size)
        notifier = ends.events.notifier_builder().create()
        self._held += [ends, publisher, notifier]
        ends.await_subscriber()
        loan, notify, move = publisher.loan_slice_uninit, notifier.notify, ctypes.memmove

        def put_bytes(value: bytes) -> None:
            size = len(value)
            sample = loan(size)
            move(sample.payload_ptr, value, size)
            sample.assume_init().send()
            notify()

        def put(value: object, dumps: Callable[[object], bytes] = pickle.dumps) -> None:
            put_bytes(dumps(value))

        return put if self._pickled else put_bytes

    def receiver(self) -> Callable[[], Any]:
        ends = _Ends(self._name, self._capacity)
        listener = ends.events.listener_builder().create()
        subscriber = ends.service.subscriber_builder().buffer_size(self._capacity).create()
        self._held += [ends, subscriber, listener]
        # A stream was seen to hang under load, for a reason that we don't know: looking again unasked costs a
        # sample then, and not the contestant.
        again = ends.library.Duration.from_millis(_AGAIN)
        receive, sleep, copy = subscriber.receive, functools.partial(listener.timed_wait, again), ctypes.string_at

        def get_bytes() -> bytes:
            sample = receive()
            while sample is None:
                sleep()
                sample = receive()
            value = copy(sample.payload_ptr, sample.header.number_of_elements)
            sample.delete()
            return value

        def get(loads: Callable[[bytes], Any] = pickle.loads) -> object:
            return loads(get_bytes())

        return get if self._pickled else get_bytes


class _Iceoryx(Peer):
    name = "iceoryx2"
    note = "buffer = capacity, no overflow, each message notified; copied in and out"
    module = "iceoryx2"
    package = "iceoryx2"

    def __init__(self) -> None:
        self._serial = itertools.count()

    def _link(self, capacity: int, size: int, *, pickled: bool) -> Link:
        # Unlike any other of this machine: two instances of this class are told apart by their address.
        name = f"steady-mp-bench-{os.getpid()}-{id(self)}-{next(self._serial)}"
        return _IceoryxLink(name, capacity, size, pickled=pickled)

    def link(self, capacity: int, context: ForkServerContext, size: int = 64) -> Link:
        del context  # a name is all that the processes share
        return self._link(capacity, size, pickled=True)

    def bytes_link(self, capacity: int, context: ForkServerContext, size: int) -> Link:
        del context
        return self._link(capacity, size, pickled=False)


def peers() -> list[Peer]:
    """See `benchmarks.peer.peers`."""
    return [_Iceoryx()]
