"""Actor frameworks that bring their own processes: they are called, where a queue is put to and got from.

Each runs in a process of its own, which starts the framework, asks, and ends it, so that nothing of it
is left when the next contestant runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

#: The distributions that are called.
FRAMEWORKS: Final = ("ray", "xoscar")
#: Calls that are made before anything is timed.
_WARM: Final = 50
#: Bytes of Ray's object store; nothing here is kept in it.
_STORE: Final = 80 << 20


@dataclass(frozen=True, slots=True)
class Called:
    """What a framework did: nanoseconds for all calls of a stream, its checksum, and the nanoseconds of each trip."""

    nanoseconds: int
    checksum: int
    trips: list[int]


@contextlib.contextmanager
def _started_ray() -> Any:  # noqa: ANN401 - the package is asked for late
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    import ray  # noqa: PLC0415 - the extra may be absent

    folder = tempfile.mkdtemp(prefix="ray-")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=_STORE,
        _temp_dir=folder,
    )
    try:
        yield ray
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


class Adder:
    """What both frameworks make an actor of."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.total = 0

    def add(self, number: int) -> int:
        """Add, and return the sum."""
        self.total += number
        return self.total


def ray_calls(count: int, trips: int, capacity: int) -> Called:
    """Call an actor `count` times with at most `capacity` calls on the way, and then `trips` times one by one."""
    with _started_ray() as ray:
        actor = ray.remote(Adder).remote()
        for _ in range(_WARM):
            ray.get(actor.add.remote(0))
        waiting: deque[Any] = deque()
        begin = time.perf_counter_ns()
        for number in range(count):
            if len(waiting) == capacity:
                ray.get(waiting.popleft())
            waiting.append(actor.add.remote(number))
        total = ray.get(waiting.pop())
        passed = time.perf_counter_ns() - begin
        times = []
        for _ in range(trips):
            begin = time.perf_counter_ns()
            ray.get(actor.add.remote(0))
            times.append(time.perf_counter_ns() - begin)
        return Called(passed, total, times)


class _Mortal:
    """A Ray actor that has imported numpy, and says which process it is."""

    def __init__(self) -> None:
        import numpy  # noqa: ICN001, PLC0415 - as an actor with some work does

        self._numpy = numpy.__version__

    def pid(self) -> int:
        """Return the process of this life."""
        return os.getpid()


def ray_restarts(kills: int) -> list[int]:
    """Kill an actor so many times; return the nanoseconds from each kill to the replacement's first answer."""
    with _started_ray() as ray:
        actor = ray.remote(max_restarts=-1, max_task_retries=-1)(_Mortal).remote()
        pid = ray.get(actor.pid.remote())
        times = []
        for _ in range(kills):
            struck = time.perf_counter_ns()
            os.kill(pid, signal.SIGKILL)
            answer = pid
            while answer == pid:
                answer = ray.get(actor.pid.remote())
            times.append(time.perf_counter_ns() - struck)
            pid = answer
        return times


def xoscar_calls(count: int, trips: int, capacity: int) -> Called:
    """See `ray_calls`."""
    return asyncio.run(_xoscar_calls(count, trips, capacity))


async def _xoscar_calls(count: int, trips: int, capacity: int) -> Called:
    import xoscar  # noqa: PLC0415 - the extra may be absent

    from benchmarks.xoscar_actor import XoscarAdder  # noqa: PLC0415 - likewise

    pool = await xoscar.create_actor_pool(address="127.0.0.1:0", n_process=1)
    async with pool:
        actor = await xoscar.create_actor(
            XoscarAdder,
            address=pool.external_address,
            allocate_strategy=xoscar.allocate_strategy.ProcessIndex(1),
        )
        for _ in range(_WARM):
            await actor.add(0)
        waiting: deque[Any] = deque()
        total = 0
        begin = time.perf_counter_ns()
        for number in range(count):
            if len(waiting) == capacity:
                await waiting.popleft()
            waiting.append(asyncio.ensure_future(actor.add(number)))
        while waiting:
            total = max(total, await waiting.popleft())
        passed = time.perf_counter_ns() - begin
        times = []
        for _ in range(trips):
            begin = time.perf_counter_ns()
            await actor.add(0)
            times.append(time.perf_counter_ns() - begin)
        return Called(passed, total, times)
