"""What can be wrong with a graph: each time one line that names the thing and the mend, and nothing left behind."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import (
    Actor,
    Alert,
    AlertColor,
    ConfigurationError,
    Filled,
    Graph,
    MessageTooLarge,
    Metric,
    Monitor,
    NoSpace,
    NotPicklable,
    RestartPolicy,
    Rx,
    StartError,
    Statistic,
    SteadyState,
    Trigger,
    Tx,
)
from steady_mp.testing import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


LOAD = Monitor(Metric.LOAD, Statistic.average())
RED = Alert(Trigger.avg_above(Filled.percent(90)), AlertColor.RED)


def send(_actor: Actor, _out: Tx[int]) -> None: ...


def receive(_actor: Actor, _numbers: Rx[int]) -> None: ...


def both(_actor: Actor, _numbers: Rx[int], _out: Tx[int]) -> None: ...


def keep(_actor: Actor, _state: SteadyState[int]) -> None: ...


def configure(_actor: Actor, _options: object) -> None: ...


def alone(_actor: Actor) -> None: ...


async def awaiting(_actor: Actor) -> None: ...


def yielding(_actor: Actor) -> Iterator[int]:
    yield 1


async def streaming(_actor: Actor) -> AsyncIterator[int]:
    yield 1


@functools.wraps(alone)
def decorated(actor: Actor) -> None:
    alone(actor)


class Callee:
    def __call__(self, actor: Actor) -> None: ...

    def method(self, actor: Actor) -> None: ...


def closure() -> Callable[[Actor], None]:
    def inner(_actor: Actor) -> None: ...

    return inner


def declare(behavior: Any, *args: object) -> None:
    Graph().actor("worker", behavior, *args)


def two_owners() -> None:
    graph = Graph()
    tx, _ = graph.channel(name="numbers")
    graph.actor("first", send, tx)
    graph.actor("second", send, tx)


def another_of_that_number() -> None:
    graph = Graph("mine")
    tx, _ = graph.channel(name="numbers")
    theirs, _ = Graph("other").channel(name="strange")
    graph.actor("source", configure, [theirs, tx])


def two_states() -> None:
    graph = Graph()
    state = graph.state()
    graph.actor("first", keep, state)
    graph.actor("second", keep, state)


def no_owner() -> None:
    graph = Graph()
    tx, _ = graph.channel(7, name="numbers")
    graph.actor("first", send, tx)
    graph.start()


def wrong_direction() -> None:
    graph = Graph()
    tx, _ = graph.channel(name="numbers")
    graph.actor("sink", receive, tx)


def stranger() -> None:
    tx, _ = Graph("other").channel(name="numbers")
    Graph("mine").actor("source", send, tx)


def same_name() -> None:
    graph = Graph()
    graph.actor("worker", alone)
    graph.actor("worker", alone)


def hidden_lock() -> None:
    declare(configure, {"a": [{"lock": threading.Lock()}]})


def used_too_early() -> None:
    tx, _ = Graph().channel(name="numbers")
    tx.send(1)


def state_used_too_early() -> None:
    Graph().state().acquire(dict)


@pytest.fixture(autouse=True)
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that nobody can import are bad input where cloudpickle is not installed."""
    monkeypatch.setitem(sys.modules, "cloudpickle", None)


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "lambda": (lambda: declare(lambda _: None), "actor 'worker': its behavior is a lambda; define it with def"),
    "closure": (lambda: declare(closure()), "actor 'worker': its behavior is defined inside closure(); define it"),
    "decorated": (lambda: declare(decorated), "alone is not the function that was passed; pass it undecorated"),
    "no function": (lambda: declare("worker.run"), "its behavior 'worker.run' is no function; pass a plain function"),
    "a callable": (lambda: declare(Callee()), "is no function; pass a plain function of a module"),
    "a method": (lambda: declare(Callee().method), "is no function; pass a plain function of a module"),
    "a class": (lambda: declare(Callee), "is no function; pass a plain function of a module"),
    "a partial": (lambda: declare(functools.partial(alone)), "is no function; pass a plain function of a module"),
    "too few arguments": (lambda: declare(send), "send(actor, …) can't take 0 arguments: missing a required argument"),
    "too many arguments": (lambda: declare(alone, 1, 2), "alone(actor, …) can't take 2 arguments: too many"),
    "unpicklable": (hidden_lock, "actor 'worker': _options['a'][0]['lock'] is a _thread.lock, which can't be pickled"),
    "an end twice": (two_owners, "'second': the sending end of channel 'numbers' belongs to actor 'first' already"),
    "a state twice": (two_states, "actor 'second': state 0 belongs to actor 'first' already; declare one"),
    "an end without actor": (no_owner, "the receiving end of channel 'numbers' (capacity 7) has no actor: hand it"),
    "wrong direction": (wrong_direction, "'_numbers' wants a receiving end (Rx) and was given the sending end of"),
    "another graph": (stranger, "actor 'source': the sending end of channel 'numbers' belongs to another graph"),
    "another graph's beside one's own": (another_of_that_number, "end of channel 'strange' belongs to another graph"),
    "a name twice": (same_name, "actor 'worker': the name is taken; give each actor its own"),
    "capacity 0": (lambda: Graph().channel(0), "capacity 0: must be a whole number from 1 to"),
    "capacity -1": (lambda: Graph().channel(-1), "capacity -1: must be a whole number from 1 to"),
    "capacity 1.5": (lambda: Graph().channel(1.5), "capacity 1.5: must be a whole number from 1 to"),  # type: ignore[call-overload]
    "capacity True": (lambda: Graph().channel(True), "capacity True: must be a whole number from 1 to"),  # noqa: FBT003
    "a ring too small": (lambda: Graph().channel(ring_bytes=1), "ring_bytes 1: must be a whole number from 4096 to"),
    "no lanes": (lambda: Graph().channel_bundle(0), "lanes 0: must be a whole number from 1 to"),
    "no actor": (lambda: Graph("empty").start(), "graph 'empty' has no actor: declare one with graph.actor("),
    "an empty name": (lambda: Graph().actor(" ", alone), "actor name ' ': give it a name that is not empty"),
    "no name": (lambda: Graph().actor(None, alone), "actor name None: give it a name that is not empty"),  # type: ignore[arg-type]
    "a long name": (lambda: Graph().actor("x" * 65, alone), "'xxxxxxxxxxxxxxxxxxxx'… has 65 characters: at most 64"),
    "half a letter": (
        lambda: Graph().actor("x\ud800", alone),
        "actor name 'x\\ud800' has a NUL or half of a surrogate pair in it, which the system takes nowhere",
    ),
    "half a letter of a channel": (
        lambda: Graph().channel(name="\udcff"),
        "channel name '\\udcff' has a NUL or half of a",
    ),
    "half a letter of a graph": (lambda: Graph("\udfff"), "graph name '\\udfff' has a NUL or half of a"),
    "a NUL": (lambda: Graph().actor("a\0b", alone), "actor name 'a\\x00b' has a NUL or half of a surrogate pair"),
    "a long channel name": (lambda: Graph().channel(name="y" * 65), "has 65 characters: at most 64 are allowed"),
    "negative time-out": (lambda: Graph(shutdown_timeout=-1), "shutdown_timeout -1: must be a number of seconds"),
    "no time-out": (lambda: Graph(shutdown_timeout=False), "shutdown_timeout False: must be a number of seconds"),
    "endless time-out": (lambda: Graph(shutdown_timeout=float("inf")), "shutdown_timeout inf: must be a number of"),
    "a level nobody knows": (lambda: Graph(log_level="loud"), "log_level 'loud': must be one of debug, info, warning"),
    "a policy": (lambda: RestartPolicy(give_up="cry"), "give_up 'cry' must be stop_graph or isolate"),  # type: ignore[arg-type]
    "a policy by a word": (
        lambda: Graph().actor("worker", alone, restart="always"),  # type: ignore[arg-type]
        "actor 'worker': restart 'always': give it RestartPolicy(…)",
    ),
    "a monitor alone": (
        lambda: Graph().actor("worker", alone, monitors=LOAD),  # type: ignore[arg-type]
        "actor 'worker': monitors: give it a list of Monitor(…), not Monitor(",
    ),
    "an alert among the monitors": (
        lambda: Graph().channel(name="numbers", monitors=[RED]),  # type: ignore[list-item]
        "color=<AlertColor.RED: 'red'>) is no Monitor(…)",
    ),
    "a monitor among the alerts": (
        lambda: Graph().channel(name="numbers", alerts=[LOAD]),  # type: ignore[list-item]
        "channel 'numbers': alerts: Monitor(",
    ),
    "a coroutine function": (lambda: declare(awaiting), "awaiting is an async def, "),
    "a generator function": (lambda: declare(yielding), "yielding is a generator function (it has a yield), "),
    "both of it": (lambda: declare(streaming), "streaming is an async def, "),
    "an end used too early": (used_too_early, "the sending end of channel 'numbers' is used by its actor's behavior"),
    "a state used too early": (state_used_too_early, "is used by its actor's behavior while the graph runs"),
}


@pytest.mark.parametrize(("make", "line"), BAD.values(), ids=BAD)
def test_one_clear_line(make: Callable[[], object], line: str, run_root: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    message = str(caught.value)
    assert line in message
    assert "\n" not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not list(run_root.iterdir())


# Where the run directory can't be made


def pipeline(capacity: int = 64) -> Graph:
    graph = Graph("big")
    tx, rx = graph.channel(capacity)
    graph.actor("source", send, tx)
    graph.actor("sink", receive, rx)
    return graph


@contextlib.contextmanager
def small_file_system(folder: Path, size: int) -> Iterator[None]:
    """Mount a tmpfs of `size` bytes, or skip."""
    folder.mkdir()
    mounted = subprocess.run(  # noqa: S603
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],  # noqa: S607
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607


@pytest.mark.parametrize("free", [0, 100, 1 << 20, (1 << 20) + 8192, (1 << 20) + 16384])
def test_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Whichever file is the one too many: one line with what is needed and what there is, and all is gone again."""
    root = tmp_path / "small"
    with small_file_system(root, 2 << 20):
        (root / "ballast").write_bytes(bytes((2 << 20) - free & -4096))
        monkeypatch.setenv("STEADY_MP_ROOT", str(root))
        with pytest.raises(NoSpace) as caught:
            pipeline().start()
        assert [entry.name for entry in root.iterdir()] == ["ballast"]
    message = str(caught.value)
    assert f"{root} has {(free & -4096) / 2**20:.1f} MiB free and the graph needs 1.0 MiB" in message
    assert "lower capacity or ring_bytes" in message
    assert "--shm-size" in message
    assert "\n" not in message


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADY_MP_ROOT", "/proc/steady-mp")
    with pytest.raises(ConfigurationError, match=r"run directory /proc/steady-mp can't be made: .*set STEADY_MP_ROOT"):
        pipeline().start()


def test_no_interpreter(monkeypatch: pytest.MonkeyPatch, run_root: Path) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(StartError, match="can't be started with /nowhere/python: No such file"):
        pipeline().start()
    assert not list(run_root.iterdir())
    assert threading.active_count() == 1 or "steady-mp" not in {thread.name for thread in threading.enumerate()}


# Messages that can't be sent


def try_to_send(_actor: Actor, out: Tx[Any], values: list[str], found: SteadyState[list[str]]) -> None:
    """Send what is named, and keep the words of each refusal; what comes between the refusals arrives."""
    lines = found.acquire(list)
    for name in values:
        out.send(name)
        try:
            out.send(MESSAGES[name]())
        except (MessageTooLarge, NotPicklable) as error:
            lines.append(f"{type(error).__name__}: {error}")


class Unwilling:
    def __reduce__(self) -> str:
        message = "not me"
        raise RuntimeError(message)


MESSAGES: dict[str, Callable[[], object]] = {
    "bytes": lambda: bytes(5000),
    "text": lambda: "ä" * 3000,
    "list": lambda: [bytes(3000), "x" * 3000],
    "lambda": lambda: lambda: None,
    "lock": threading.Lock,
    "unwilling": Unwilling,
}


def test_messages_that_cant_be_sent_are_refused_in_send() -> None:
    """Nothing of them is staged; the words say how large, how large it may be, and which option says so."""
    bench = Bench()
    out, state = bench.output(capacity=64, ring_bytes=4096), bench.state()
    bench.actor(try_to_send, out.end, list(MESSAGES), state)
    bench.run()
    assert out.take_all() == list(MESSAGES)
    lines = bench.saved(state)
    assert lines is not None
    assert [line.partition(":")[0] for line in lines] == ["MessageTooLarge"] * 3 + ["NotPicklable"] * 3
    for line in lines[:3]:
        assert "bytes exceeds the ring of 4096 bytes; give the channel a larger ring_bytes" in line
    assert " a bytes of 50" in lines[0]
    assert "a function can't be pickled" in lines[3]
    assert "a lock can't be pickled" in lines[4]
    assert "a Unwilling can't be pickled: not me" in lines[5]
    assert all("\n" not in line for line in lines)


#: Bytes for which a record of 4096, with its header of 16 and 18 of pickle's own, is full.
LARGEST = 4096 - 16 - 18


def test_the_limit_is_a_limit_and_not_less() -> None:
    """The largest message that fits arrives, again and again."""
    bench = Bench()
    out, state = bench.output(capacity=2, ring_bytes=4096), bench.state()
    bench.actor(fill, out.end, LARGEST, state)
    for _ in range(3):
        bench.run(turns=1)
        assert [len(value) for value in out.take_all()] == [LARGEST]


def fill(actor: Actor, out: Tx[bytes], size: int, state: SteadyState[list[int]]) -> None:
    state.acquire(list)
    while actor.is_running():
        if actor.await_for_all(out.wait_vacant(1)):
            out.send(os.urandom(size))
