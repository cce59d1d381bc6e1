"""The player: an actor as the test that plays it sees it."""

from __future__ import annotations

import math
import pickle
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from steady_mp import errors
from steady_mp.channel.kinds import check_message
from steady_mp.errors import ConfigurationError
from steady_mp.testing.contrast import contrast, show, show_all
from steady_mp.testing.conversation import Conversation, Gone
from steady_mp.testing.cues import Close, Echo, Hello, Leave, Refused, Show, Shown, Take
from steady_mp.testing.difference import difference, same
from steady_mp.testing.watch import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import NoReturn

    from steady_mp.plan import ChannelPlan
    from steady_mp.supervisor.report import ChannelReport
    from steady_mp.testing.cues import Answer, Cue

_BATCH: Final = 256
_BATCH_BYTES: Final = 1 << 20
#: Seconds after which it is looked whether a sender waits for room.
_LOOK: Final = 0.01
#: Seconds that an actor has to say how far it has come, once a wait for it was given up.
_GRACE: Final = 2.0


class House(Protocol):
    """What a player needs of the stage that it is on."""

    def fail(self, why: str) -> NoReturn:
        """Raise AssertionError with the dump."""

    def channel(self, name: str) -> ChannelReport:
        """Return how many messages of a channel were sent and taken."""

    def wants_room(self, channel: str, head: int) -> bool:
        """Tell whether the sender of a channel waits for room that it gets once all before message `head` is taken."""


class Input:
    """What the test has seen of one input. `position` is that of the next message to hand out."""

    def __init__(self, name: str) -> None:
        """Have seen nothing."""
        self.name = name
        self.position = 0
        #: What was shown from there on, and not handed out yet.
        self.shown: deque[Any] = deque()
        #: What the actor has taken, as committed.
        self.taken = 0

    @property
    def following(self) -> int:
        """Position of the next message to be shown."""
        return self.position + len(self.shown)


class Player:
    """A played actor: the test sends what it sends, and takes what it takes; a `Stage` makes it.

    Each method returns when what it did is committed, so it can't be undone by any death. Where the actor has
    several outputs (or inputs), `lane` says which: by index, in the order of the actor's arguments with the lanes
    of a bundle one after the other, or by the channel's name.
    """

    def __init__(
        self,
        name: str,
        outputs: Sequence[ChannelPlan],
        inputs: Sequence[ChannelPlan],
        house: House,
        why_gone: Callable[[], str | None],
    ) -> None:
        """Play actor `name`."""
        #: The actor's name in its graph.
        self.name = name
        #: The names of its outputs and inputs, in the order of their lanes.
        self.outputs = tuple(channel.name for channel in outputs)
        self.inputs = tuple(channel.name for channel in inputs)
        self._plans = tuple(outputs)
        self._house = house
        self._sent = [0] * len(outputs)
        self._inputs = [Input(name) for name in self.inputs]
        self._leaves = False
        self.conversation = Conversation(why_gone, self._greet)

    def _greet(self, hello: Hello) -> None:
        self._sent = list(hello.sent)
        for lane, taken in zip(self._inputs, hello.taken, strict=True):
            lane.taken = taken

    # Sending

    def echo(self, value: object, *, lane: int | str | None = None, timeout: float = PATIENCE) -> None:
        """Send `value`. Blocks while the channel is full.

        Raises AssertionError with the dump after `timeout` seconds, saying whether it was sent, NotPicklable (on a lane
        DoesNotFit), MessageTooLarge, PeerGone when its consumer has finished, and, like all that takes a `lane`,
        ConfigurationError for one that there is not.
        """
        self.echo_all([value], lane=lane, timeout=timeout)

    def echo_all(self, values: Iterable[object], *, lane: int | str | None = None, timeout: float = PATIENCE) -> None:
        """Send all of `values` in order, in as few commits as there is room for; otherwise like `echo`.

        Values that can't be sent are refused before the first one is.
        """
        index = self._lane("output", self.outputs, lane)
        plan = self._plans[index]
        batch = list(values)
        payloads = []
        for value in batch:
            check_message(plan, value, plan.ring_bytes)  # refuses what can't be sent, in this process
            payloads.append(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        deadline = time.monotonic() + timeout
        what = f"echo {show(batch[0]) if len(batch) == 1 else f'{len(batch)} values'}"
        self._settle(deadline, what, timeout)
        first = self._sent[index]
        for start, batch_of_them in _batches(payloads):
            cue = Echo(index, first + start, batch_of_them)
            try:
                self._ask(cue, deadline, what)
            except TimeoutError:
                if self._is_sent(index, first, len(payloads), f"{self.name} could not {what} within {timeout:g} s"):
                    return
            self._sent[index] = cue.position + len(cue.values)

    def _is_sent(self, index: int, first: int, count: int, why: str) -> bool:
        """Tell that what was given up is all sent after all; otherwise fail, saying how much was."""
        try:
            self.conversation.settle(time.monotonic() + _GRACE)
        except (TimeoutError, Gone):
            self._house.fail(f"{why}: it does not answer, so whether it will be sent is not known")
        sent = self._sent[index] - first
        if sent < count:
            state = self._house.channel(self.outputs[index])
            room = f"{state.name} holds {state.in_flight} of {state.capacity} messages"
            self._house.fail(f"{why}: {sent} of {count} were sent, and {room}")
        return True

    def close(self, *, lane: int | str | None = None, timeout: float = PATIENCE) -> None:
        """Close an output behind what was sent: its consumer sees the end of the stream.

        Raises AssertionError with the dump after `timeout` seconds, and when the actor is gone.
        """
        index = self._lane("output", self.outputs, lane)
        self._call(Close(index), time.monotonic() + timeout, f"close {self.outputs[index]}", timeout)

    # Taking

    def take(self, *, lane: int | str | None = None, timeout: float = PATIENCE) -> Any:  # noqa: ANN401 - any message
        """Take the next message. Blocks while there is none.

        Raises AssertionError with the dump after `timeout` seconds, or when no message will come any more.
        """
        index = self._lane("input", self.inputs, lane)
        deadline = time.monotonic() + timeout
        if why := self._await_shown(index, 1, deadline, timeout):
            self._house.fail(f"{self.name} has nothing to take: {why}")
        value = self._inputs[index].shown[0]
        self._hand_out(index, 1, deadline, timeout)
        return value

    def take_all(self, *, lane: int | str | None = None, timeout: float = PATIENCE) -> list[Any]:
        """Take all messages that are there; none is waited for. After the final bow: all that came until then.

        Raises AssertionError with the dump when the actor does not answer within `timeout` seconds, or is gone.
        """
        index = self._lane("input", self.inputs, lane)
        deadline = time.monotonic() + timeout
        try:
            while not self._leaves and self._show(index, _BATCH, deadline, 0.0).values:
                pass
        except TimeoutError:
            name = self._inputs[index].name
            self._house.fail(f"{self.name} could not take from {name} within {timeout:g} s: it does not answer")
        values = list(self._inputs[index].shown)
        self._hand_out(index, len(values), deadline, timeout)
        return values

    def wait_for(self, expected: object, *, lane: int | str | None = None, timeout: float = PATIENCE) -> Any:  # noqa: ANN401 - any message
        """Take messages up to the first one that is `expected`, and return that one.

        `expected` is a value, a class, or a function that answers True for the message that is meant. Raises
        AssertionError after `timeout` seconds, or when no message will come any more: with all that came instead,
        how the nearest one differs, and the dump.
        """
        index = self._lane("input", self.inputs, lane)
        deadline = time.monotonic() + timeout
        matches = _matcher(expected)
        instead: list[Any] = []
        while True:
            if why := self._await_shown(index, 1, deadline, timeout):
                self._house.fail(_tell_instead(f"{self.name} waited for {_named(expected)}: {why}", expected, instead))
            shown = list(self._inputs[index].shown)
            found = next((number for number, value in enumerate(shown) if matches(value)), None)
            self._hand_out(index, len(shown) if found is None else found + 1, deadline, timeout)
            if found is not None:
                return shown[found]
            instead += shown

    def expect(self, *values: object, lane: int | str | None = None, timeout: float = PATIENCE) -> None:
        """Take as many messages as there are `values`, and see that they are these, in this order.

        Raises AssertionError with the difference as soon as one is another one, or when too few have come after
        `timeout` seconds. What has come stays for the test then, and in the channel too; unless its sender waited for
        room while others were still expected: then it was given that of the messages that had come.
        """
        index = self._lane("input", self.inputs, lane)
        deadline = time.monotonic() + timeout
        source = self._inputs[index]
        for count, value in enumerate(values, start=1):
            why = self._await_shown(index, count, deadline, timeout)
            if why or not same(value, source.shown[count - 1]):
                found = list(source.shown)[: len(values)]
                apart = difference(values, found, source.position)
                self._house.fail(f"{self.name}: {why or f'another message in {source.name}'}\n{apart}")
        self._hand_out(index, len(values), deadline, timeout)

    def _await_shown(self, index: int, count: int, deadline: float, timeout: float) -> str | None:
        """Wait until so many messages are shown; say why they will not be, or None when they are."""
        source = self._inputs[index]
        while len(source.shown) < count:
            if self._leaves:
                return "it has left the stage, and no message is left"
            try:
                if not self._await_more(index, max(_BATCH, count), deadline, timeout):
                    return f"{source.name} is closed, and no message is left"
            except TimeoutError:
                return f"no further message in {source.name} within {timeout:g} s"
        return None

    def _await_more(self, index: int, most: int, deadline: float, timeout: float) -> bool:
        """Wait for what follows; False when nothing will. Raises TimeoutError."""
        source = self._inputs[index]
        while source.following > source.taken:
            # The channel stays as full as the test wants it, until its sender waits for room; nobody tells that here.
            wants_room = self._house.wants_room(source.name, source.following)
            wait = 0.0 if wants_room else max(0.0, min(_LOOK, deadline - time.monotonic()))
            shown = self._show(index, most, deadline, wait)
            if shown.values or shown.closed:
                return not shown.closed
            if wants_room:
                self._take(index, source.following, deadline, timeout)
            elif time.monotonic() >= deadline:
                raise TimeoutError
        return not self._show(index, most, deadline, math.inf).closed

    def _show(self, index: int, most: int, deadline: float, wait: float) -> Shown:
        """Look at what follows, and keep it; wait so many seconds for any. Raises TimeoutError."""
        source = self._inputs[index]
        cue = Show(index, source.following, most, wait)
        shown = cast("Shown", self._ask(cue, deadline, f"take from {source.name}"))
        self._keep(shown)
        return shown

    def _keep(self, answer: Shown) -> None:
        """Keep what was shown."""
        source = self._inputs[answer.lane]
        if answer.position == source.following:  # else it was shown twice, because it was asked for twice
            source.shown.extend(pickle.loads(value) for value in answer.values)  # noqa: S301 - from a socket of our own

    def _hand_out(self, index: int, count: int, deadline: float, timeout: float) -> None:
        """Let the actor take what the test is about to get."""
        source = self._inputs[index]
        if source.position + count > source.taken and not self._leaves:
            self._take(index, source.position + count, deadline, timeout)
        source.position += count
        for _ in range(count):
            source.shown.popleft()

    def _take(self, index: int, position: int, deadline: float, timeout: float) -> None:
        # The messages are there, so this takes no time but that of a restart; the wait for them may have taken all.
        source = self._inputs[index]
        deadline = max(deadline, time.monotonic() + _GRACE)
        self._call(Take(index, position), deadline, f"take from {source.name}", timeout)
        source.taken = position

    # Leaving

    def leave(self) -> None:
        """Let the actor go: it takes all that still comes, keeps it for the test, and finishes."""
        self._leaves = True
        self.conversation.say(self._leave())

    def follow(self) -> None:
        """Keep what the actor that leaves has taken meanwhile; never blocks."""
        greeted, answers = self.conversation.hear()
        for answer in answers:
            if isinstance(answer, Shown):
                self._keep(answer)
        if greeted or answers:
            self.conversation.say(self._leave())

    def _leave(self) -> Leave:
        return Leave([source.following for source in self._inputs])

    # Words

    def _settle(self, deadline: float, what: str, timeout: float) -> None:
        """Know where the actor stands; it is not known while no life of it has connected."""
        try:
            self.conversation.settle(deadline)
        except TimeoutError:
            self._house.fail(f"{self.name} could not {what} within {timeout:g} s: it does not answer")
        except Gone as gone:
            self._fail_gone(what, gone)

    def _call(self, cue: Cue, deadline: float, what: str, timeout: float) -> Answer:
        try:
            return self._ask(cue, deadline, what)
        except TimeoutError:
            self._house.fail(f"{self.name} could not {what} within {timeout:g} s: it does not answer")

    def _ask(self, cue: Cue, deadline: float, what: str) -> Answer:
        if self._leaves:
            self._fail_gone(what, Gone("it has left the stage"))
        try:
            answer = self.conversation.ask(cue, deadline)
        except Gone as gone:
            self._fail_gone(what, gone)
        if isinstance(answer, Refused):
            self.conversation.drop()  # the next greeting tells what stood before it
            message = f"{self.name} could not {what}: {answer.why}"
            raise getattr(errors, answer.error, AssertionError)(message)
        return answer

    def _fail_gone(self, what: str, gone: Gone) -> NoReturn:
        self._house.fail(f"{self.name} can't {what} any more: {gone}")

    def _lane(self, kind: str, names: Sequence[str], lane: int | str | None) -> int:
        """Return the index of the lane that is meant. Raises ConfigurationError."""
        if not names:
            message = f"{self.name} has no {kind}"
            raise ConfigurationError(message)
        if lane is None and len(names) == 1:
            return 0
        if isinstance(lane, str) and lane in names:
            return names.index(lane)
        if type(lane) is int and 0 <= lane < len(names):
            return lane
        there_are = ", ".join(f"{index} ({name})" for index, name in enumerate(names))
        wrong = "say which one" if lane is None else f"there is no lane {lane!r}"
        message = f"{self.name} has {len(names)} {kind}s: {wrong}, by lane= {there_are}"
        raise ConfigurationError(message)


def _batches(payloads: Sequence[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Cut what is to be sent into pieces that are neither too many nor too large; give each with its place."""
    start = size = 0
    for index, payload in enumerate(payloads):
        if index > start and (index - start >= _BATCH or size + len(payload) > _BATCH_BYTES):
            yield start, list(payloads[start:index])
            start, size = index, 0
        size += len(payload)
    if payloads:
        yield start, list(payloads[start:])


def _matcher(expected: Any) -> Callable[[Any], bool]:  # noqa: ANN401 - any message
    if isinstance(expected, type):
        return lambda value: isinstance(value, expected)
    if callable(expected):
        return lambda value: bool(expected(value))
    return lambda value: same(expected, value)


def _named(expected: Any) -> str:  # noqa: ANN401 - any message
    return getattr(expected, "__qualname__", None) or show(expected)


def _tell_instead(why: str, expected: object, instead: Sequence[Any]) -> str:
    """Say what came instead of what was waited for."""
    if not instead:
        return f"{why}; nothing came instead"
    lines = [f"{why}; what came instead:", show_all(instead)]
    if not callable(expected):
        lines += ["the nearest one, with what was expected (-) and what came (+):"]
        lines += [contrast(expected, instead)]
    return "\n".join(lines)
