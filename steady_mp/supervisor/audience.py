"""The audience of a run: everybody who is told its events."""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING

from steady_mp.events import RunStopped
from steady_mp.supervisor.cause import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.events import Event


class Audience:
    """Consumers of events. One that raises is dropped, and that is said; it never harms the run or another one.

    An event of the program's own that can't say what it is would raise in all who ask, the run's record and its log
    among them: that is said, and nobody is told it.
    """

    def __init__(self, complain: Callable[[str], None]) -> None:
        """Begin without anybody; `complain` is called with a sentence about each consumer that fails."""
        self._complain = complain
        self._consumers: list[tuple[str, Callable[[Event], object]]] = []
        self._last: RunStopped | None = None
        # A consumer may come from another thread while the supervisor's tells an event.
        self._gate = threading.Lock()

    def add(self, consumer: Callable[[Event], object], name: str = "the consumer of events") -> None:
        """Tell `consumer` each event from now on. After the last one it is told that one, at once, and nothing else."""
        with self._gate:
            self._consumers.append((name, consumer))
            last = self._last
        if last is not None:
            _refuse_coroutine(consumer(last))

    def tell(self, event: Event) -> None:
        """Tell everybody, in the order in which they came."""
        try:
            _check(event)
        except BaseException as error:  # noqa: BLE001 - as below
            self._complain(f"the event {type(event).__name__} is told to nobody: {shown(error)}")
            return
        with self._gate:
            if isinstance(event, RunStopped):
                self._last = event
            consumers = list(self._consumers)
        for each in consumers:
            name, consumer = each
            try:
                _refuse_coroutine(consumer(event))
            except BaseException as error:  # noqa: BLE001 - whatever it raises, also what would end a program
                with self._gate:
                    # By identity: two may be equal, and one may not like to be compared.
                    self._consumers = [other for other in self._consumers if other is not each]
                self._complain(f"{name} failed and is dropped: {shown(error)}")


def _refuse_coroutine(answer: object) -> None:
    """Raise TypeError where a consumer has only made a coroutine: it would be told nothing, for ever."""
    if inspect.iscoroutine(answer):
        answer.close()
        message = (
            f"{answer.__qualname__} is async, and nobody awaits it here: "
            "give a plain function, which may call loop.call_soon_threadsafe"
        )
        raise TypeError(message)


def _check(event: Event) -> None:
    """Raise whatever keeps an event from saying what it is."""
    text: object = event.text
    level: object = event.level
    if not isinstance(text, str):
        message = f"its text is {text!r}, and no str"
        raise TypeError(message)
    if not isinstance(level, int):
        message = f"its level is {level!r}, and no int"
        raise TypeError(message)
