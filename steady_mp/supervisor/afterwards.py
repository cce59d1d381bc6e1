"""What the supervisor does only behind something that others wait for: reports and events of a death.

While a life begins in the spare, its process and ours would share the cores that there are. Where it is forked, there
is time enough meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from steady_mp.supervisor.messages import Message, Rung

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.events import Event

#: The most seconds that it is put off. A life that takes the spare has its process within one thousandth.
_LONGEST: Final = 0.005


class Afterwards:
    """Calls in their order, made before the next message is handled, or the next event is told."""

    def __init__(self, after: Callable[[float, Message], None], *, at_once: bool = False) -> None:
        """Ask `after` for a message, so that there is a next one; put nothing off where it is better `at_once`."""
        self._after = after
        self._at_once = at_once
        self._calls: list[Callable[[], None]] = []

    def put(self, call: Callable[[], None]) -> None:
        """Make `call` before the next message is handled."""
        if self._at_once:
            call()
            return
        if not self._calls:
            self._after(_LONGEST, Rung())
        self._calls.append(call)

    def before(self, emit: Callable[[Event], None]) -> Callable[[Event], None]:
        """Return `emit` with all calls made first: no event overtakes one that was put off."""

        def tell(event: Event) -> None:
            self.catch_up()
            emit(event)

        return tell

    def catch_up(self) -> None:
        """Make all calls."""
        calls, self._calls = self._calls, []
        for call in calls:
            call()
