"""The conversation of a test with the lives of one actor: one cue at a time, given again to the next life."""

from __future__ import annotations

import contextlib
import select
from typing import TYPE_CHECKING, Any, Final, cast

from steady_mp.testing.cues import Done, Hello, Shown
from steady_mp.testing.nudge import Nudge
from steady_mp.testing.waiting import time_left
from steady_mp.testing.wire import Lost, Wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from steady_mp.testing.cues import Answer, Cue

#: Seconds that a send is tried, however late it is.
_LEAST: Final = 0.001
_GRACE: Final = 2.0


class Gone(Exception):
    """No life will answer any more; says why."""


class Conversation:
    """Speaks with whichever life of an actor has connected last. Only one thread may use it."""

    def __init__(self, why_gone: Callable[[], str | None], greet: Callable[[Hello], None]) -> None:
        """`why_gone` says why no further life follows, or None; `greet` is told the first word of each connection."""
        self._why_gone = why_gone
        self._greet = greet
        self._listener: socket.socket | None = None
        #: To be given when there may be a reason why no further life will connect.
        self.nudge = Nudge()
        self._wire: Wire | None = None
        self._is_greeted = False

    def begin(self, listener: socket.socket) -> None:
        """Hear the lives that connect to `listener`."""
        self._listener = listener
        self.nudge.open()

    def ask(self, cue: Cue, deadline: float) -> Answer:
        """Give a cue, to one life after the other if need be, and return the answer.

        Raises TimeoutError at the deadline, and Gone. Afterwards the cue is not followed any more, but how far
        it was followed only the next greeting tells.
        """
        while True:
            wire = self._await_greeting(deadline)
            try:
                wire.send(cue, max(_LEAST, time_left(deadline)))
                while True:
                    messages = self._messages()
                    if self._wire is not wire:  # that life is over
                        break
                    for message in messages:
                        return cast("Answer", message)
                    self._wait(deadline)
            except Lost:
                self.drop()
            except BaseException:  # also Ctrl-C: nobody must hear the answer to this one as that to the next
                self.drop()
                raise

    def settle(self, deadline: float) -> None:
        """Wait until a life has greeted, unless one has. Raises TimeoutError at the deadline, and Gone."""
        self._await_greeting(deadline)

    def drop(self) -> None:
        """End the connection; a life that is there connects again."""
        if self._wire is not None:
            self._wire.close()
        self._wire = None
        self._is_greeted = False

    def close(self) -> None:
        """Hear nobody any more."""
        self.drop()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.nudge.close()

    # Without waiting, for somebody who watches several conversations

    @property
    def descriptors(self) -> list[int]:
        """What is readable when `hear` has something to hear."""
        both = (self._listener, self._wire)
        return [*self.nudge.descriptors, *(each.fileno() for each in both if each is not None)]

    def hear(self) -> tuple[bool, list[Shown | Done]]:
        """Return whether a life has greeted, and the answers that have come; never blocks."""
        self.nudge.take()
        greeted = False
        answers: list[Shown | Done] = []
        try:
            for message in self._messages():
                if isinstance(message, Hello):
                    greeted = True
                    answers.clear()
                else:
                    answers.append(message)
        except Lost:
            self.drop()
        return greeted, answers

    def say(self, cue: Cue) -> None:
        """Give a cue without waiting for the answer; nothing happens while no life has greeted."""
        if self._wire is not None and self._is_greeted:
            try:
                self._wire.send(cue, _GRACE)
            except (Lost, TimeoutError):
                self.drop()

    # Inside

    def _await_greeting(self, deadline: float) -> Wire:
        while not (self._is_greeted and self._wire is not None):
            try:
                self._messages()
            except Lost:
                self.drop()
            else:
                if not self._is_greeted:
                    self._wait(deadline)
        return self._wire

    def _messages(self) -> list[Any]:
        """Let in whoever has connected last, and return what it has said. Raises Lost when it is gone."""
        if self._listener is not None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    connected, _ = self._listener.accept()
                    self.drop()  # a life that is over
                    self._wire = Wire(connected)
        messages = [] if self._wire is None else self._wire.receive()
        for message in messages:
            if isinstance(message, Hello):
                self._is_greeted = True
                self._greet(message)
        return messages

    def _wait(self, deadline: float) -> None:
        """Wait until there may be news. Raises TimeoutError at the deadline, and Gone."""
        self.nudge.take()  # before the look: what comes behind it will wake
        if (why := self._why_gone()) is not None:
            raise Gone(why)
        if not (seconds := time_left(deadline)):
            raise TimeoutError
        poll = select.poll()
        for descriptor in self.descriptors:
            poll.register(descriptor, select.POLLIN)
        poll.poll(-int(-seconds * 1000 // 1))
