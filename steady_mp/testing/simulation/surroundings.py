"""What actors find around them beside their channels: an output, a log, and dice."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import random
import sys
from typing import TYPE_CHECKING, Any, Final

from steady_mp.testing.capture import as_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp.testing.simulation.world import World

#: What a log record need not find out here: the switches that the documentation of `logging` names for that.
_UNUSED_FACTS: Final = ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing")
_SEEDS_OF_NUMPY: Final = 1 << 32


class Output:
    """What the actors print and log, as a run's log shows it: by line, with who said it.

    Both standard streams of a life are one pipe, and what it has flushed is in there whatever becomes of it.
    """

    def __init__(self, world: World) -> None:
        """Keep the lines of `world`."""
        self.out, self.err = _Stream(self), _Stream(self)
        self._world = world
        #: By actor, what its pipe holds behind the last whole line.
        self._rest: dict[str, str] = {}

    @property
    def speaker(self) -> str | None:
        """Who is at work; None where it only unwinds: no process would say anything there."""
        return None if self._world.steps.dying else self._world.current.name

    def put(self, name: str, text: str) -> None:
        """Take what has left a process of actor `name`."""
        *lines, self._rest[name] = (self._rest.get(name, "") + text).split("\n")
        self._world.lines += [(name, line) for line in lines]

    def say(self, lines: list[str]) -> None:
        """Keep one message of whoever is at work."""
        if self.speaker is not None:
            self._world.lines += [(self.speaker, line) for line in lines]

    def end(self, name: str, *, killed: bool) -> None:
        """End what a life of actor `name` has said; one that was `killed` has not come to flush it."""
        for stream in (self.out, self.err):
            stream.empty(name, lost=killed)
        if rest := self._rest.pop(name, ""):
            self._world.lines.append((name, rest))


class _Stream(io.TextIOBase):
    """One standard stream of all actors, each with a buffer that is flushed at the end of a line."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._buffers: dict[str, str] = {}

    def write(self, text: str) -> int:
        """See `io.TextIOBase.write`."""
        name = self._output.speaker
        if name is not None:
            self._buffers[name] = self._buffers.get(name, "") + text
            if "\n" in text or "\r" in text:
                self.empty(name)
        return len(text)

    @property
    def buffer(self) -> io.BufferedIOBase:
        """The same stream for bytes."""
        return _Bytes(self)

    def flush(self) -> None:
        """See `io.IOBase.flush`."""
        name = self._output.speaker
        if name is not None:
            self.empty(name)

    def empty(self, name: str, *, lost: bool = False) -> None:
        """Empty an actor's buffer."""
        text = self._buffers.pop(name, "")
        if text and not lost:
            self._output.put(name, text)


class _Bytes(io.BufferedIOBase):
    """What writes bytes to a stream; those that are no UTF-8 show as a log shows them."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever `bytes` takes
        """See `io.BufferedIOBase.write`."""
        written = bytes(data)
        self._stream.write(written.decode(errors="backslashreplace"))
        return len(written)

    def flush(self) -> None:
        """See `io.IOBase.flush`."""
        self._stream.flush()


class _Handler(logging.Handler):
    """Keeps what the actors log."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self._output.say(as_lines(record, self.format(record)))


@contextlib.contextmanager
def _dice_of_numpy(seed: int) -> Iterator[None]:
    """Seed numpy's global generator, where numpy is loaded, and put it back."""
    numbers: Any = None
    if "numpy" in sys.modules:
        with contextlib.suppress(ImportError):  # some other module of that name
            numbers = importlib.import_module("numpy.random")  # numpy itself does so when it is first asked for it
    if numbers is None:
        yield
        return
    before = numbers.get_state(legacy=False)
    with contextlib.suppress(TypeError):  # a generator of the test's own, which has no seed
        numbers.seed(seed % _SEEDS_OF_NUMPY)
    try:
        yield
    finally:
        numbers.set_state(before)


@contextlib.contextmanager
def dice(seed: int) -> Iterator[None]:
    """Seed the global generators of Python and numpy, and put them back."""
    before = random.getstate()
    random.seed(seed)
    try:
        with _dice_of_numpy(seed):
            yield
    finally:
        random.setstate(before)


@contextlib.contextmanager
def surroundings(world: World, output: Output) -> Iterator[None]:
    """Give the actors dice, an output and a log of their own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    facts = {name: getattr(logging, name) for name in _UNUSED_FACTS}
    for name in facts:
        setattr(logging, name, None)
    root.handlers[:] = [_Handler(output)]
    root.setLevel(world.plan.log_level)
    before = sys.stdout, sys.stderr
    out: tuple[Any, Any] = output.out, output.err
    sys.stdout, sys.stderr = out
    try:
        with dice(world.seed):
            yield
    finally:
        sys.stdout, sys.stderr = before
        for name, fact in facts.items():
            setattr(logging, name, fact)
        root.handlers[:] = handlers
        root.setLevel(level)
