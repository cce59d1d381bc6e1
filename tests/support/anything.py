"""An actor that does anything an actor may do, by dice; and graphs of such actors, by dice too.

Each channel carries 0, 1, 2, …; a message that comes in is owed to one of the outputs and goes out there,
in some later turn, as that channel's next number. All of it is state, and correct at every commit, also at
one in the middle of a turn. So whatever the dice say: each channel's numbers arrive in order, none is
missing, and what the sinks have is what the sources have sent.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from steady_mp import CommitEvery, Graph, LaneRx, LaneTx, Recycle, RestartPolicy, SendOutcome, any_of
from tests.support.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Rx, SteadyState, Tx

_UNTIRING = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0)
_PADDING = bytes(3000)
#: Share of the channels that are lanes, and of the lanes whose ring is mapped twice.
LANES = 0.4


@dataclass
class Ledger:
    got: list[int]
    sent: list[int]
    owed: list[int]
    made: int = 0
    turns: int = 0
    wrong: list[str] = field(default_factory=list)


class Player:
    """One life of such an actor."""

    def __init__(self, actor: Actor, inputs: list[Rx[Any]], outputs: list[Tx[Any]], total: int, ledger: Ledger) -> None:
        self.actor = actor
        self.inputs = inputs
        self.outputs = outputs
        self.total = total
        self.ledger = ledger
        self.dice = random.Random()

    def play(self) -> None:
        moves = [self.pass_on, self.pass_on, self.wait, self.take_some, self.send_some, self.send_much, self.peek]
        while self.actor.is_running(veto=lambda: "it owes messages" if any(self.ledger.owed) else None):
            if self.total and self.ledger.made == self.total and not any(self.ledger.owed):
                self.close_early()
                return
            # The turn follows from the state: a life that repeats it throws the same dice.
            self.dice.seed(f"{self.actor.name} {self.ledger.turns}")
            self.ledger.turns += 1
            for move in self.dice.choices(moves, k=self.dice.choice((1, 1, 2, 5))):
                move()
            for _ in range(self.dice.choice((1, 1, 2))):
                self.wait()

    def close_early(self) -> None:
        """Close all outputs and live on for a moment: who waits there must hear of it now."""
        for tx in self.outputs:
            tx.mark_closed()
        self.actor.await_for_any(self.actor.wait_timeout(0.01))

    # Moves

    def receive(self, index: int, value: Any) -> None:
        number = number_of(value)
        if number != self.ledger.got[index]:
            self.ledger.wrong.append(f"{self.inputs[index].name}: {number} instead of {self.ledger.got[index]}")
        self.ledger.got[index] += 1
        if self.outputs:
            self.ledger.owed[number % len(self.outputs)] += 1

    def value(self, index: int) -> Any:
        number = self.ledger.sent[index]
        if isinstance(self.outputs[index], LaneTx) or number % 3:
            return number  # so that two in a row, which somebody may wait for, always fit the smallest ring
        padding = _PADDING[: number * 37 % 3000]
        kinds = ((number, padding), b"%d:" % number + padding, Frame(str(number), bytearray(padding)))
        return kinds[number // 3 % 3]

    def book(self, index: int) -> None:
        self.ledger.sent[index] += 1
        self.ledger.owed[index] -= 1

    def take_some(self) -> None:
        for index, rx in enumerate(self.inputs):
            if self.dice.random() < 0.5:
                if isinstance(rx, LaneRx) and self.dice.random() < 0.5:
                    self.use(index, rx)
                elif self.dice.random() < 0.5:
                    for value in rx.take_slice(self.dice.randrange(1, 6)):
                        self.receive(index, value)
                elif (value := rx.try_take()) is not None:
                    self.receive(index, value)
            elif rx.avail():
                self.receive(index, rx.take())

    def make(self, count: int) -> None:
        for _ in range(min(count, self.total - self.ledger.made)):
            self.ledger.owed[self.ledger.made * 7 % len(self.outputs)] += 1
            self.ledger.made += 1

    def send_some(self) -> None:
        self.make(self.dice.randrange(3))
        for index, tx in enumerate(self.outputs):
            if isinstance(tx, LaneTx) and self.dice.random() < 0.5:
                self.poke(index, tx)
            while self.ledger.owed[index] and self.dice.random() < 0.7:
                if tx.try_send(self.value(index)) is not SendOutcome.SENT:
                    break
                self.book(index)

    def poke(self, index: int, tx: LaneTx[Any]) -> None:
        """Write what is owed where it will stand; hand in only a part of the slots that there are."""
        done = 0
        for view in tx.poke_slice(self.ledger.owed[index] + 1):
            for place in range(min(len(view), self.ledger.owed[index])):
                view[place] = self.value(index)
                self.book(index)
                done += 1
        tx.advance_send(done)

    def use(self, index: int, rx: LaneRx[Any]) -> None:
        """Take messages from where they stand; look further than that."""
        for view in rx.peek_slice(self.dice.randrange(1, 6)):
            count = self.dice.randrange(len(view) + 1)
            for value in view[:count]:
                self.receive(index, value)
            rx.advance_take(count)
            if count < len(view):
                return

    def send_much(self) -> None:
        """Send all that is owed, which may be more than the channel holds."""
        self.make(self.dice.randrange(8))
        for index, tx in enumerate(self.outputs):
            while self.ledger.owed[index]:
                tx.send(self.value(index))
                self.book(index)

    def pass_on(self) -> None:
        self.make(2)
        for index, rx in enumerate(self.inputs):
            for value in rx.take_slice(2):
                self.receive(index, value)
        for index, tx in enumerate(self.outputs):
            for _ in range(min(self.ledger.owed[index], tx.vacant())):
                tx.send(self.value(index))
                self.book(index)

    def peek(self) -> None:
        for index, rx in enumerate(self.inputs):
            value = rx.try_peek()
            ahead = len(rx.peek_slice(3))
            assert (value is None) == (not ahead)
            if value is not None and number_of(value) != self.ledger.got[index]:
                self.ledger.wrong.append(f"peeked {value}")

    def wait(self) -> None:
        """Wait until there is something to do: room for what is owed, or else a message."""
        owed = [tx.wait_vacant(1) for index, tx in enumerate(self.outputs) if self.ledger.owed[index]]
        more = [rx.wait_avail(self.dice.choice((1, 1, 2))) for rx in self.inputs]
        if self.total and self.ledger.made < self.total:
            more.append(self.outputs[0].wait_vacant(1))
        wishes = owed or more
        if not wishes:
            return
        if self.dice.random() < 0.3:
            wishes = [any_of(*wishes), self.actor.wait_timeout(0.002)]
        if not self.actor.await_for_any(*wishes):
            for index, rx in enumerate(self.inputs):
                for value in rx.take_slice(rx.avail()):
                    self.receive(index, value)


def number_of(value: Any) -> int:
    """Return which message it is."""
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return int(value.partition(b":")[0])
    return int(value.name) if isinstance(value, Frame) else value[0]


def play(actor: Actor, inputs: list[Rx[Any]], outputs: list[Tx[Any]], total: int, state: SteadyState[Ledger]) -> None:
    fresh: Callable[[], Ledger] = lambda: Ledger([0] * len(inputs), [0] * len(outputs), [0] * len(outputs))  # noqa: E731
    Player(actor, inputs, outputs, total, state.acquire(fresh)).play()


def build(seed: int, total: int) -> tuple[Graph, list[str]]:
    """Build a graph of three to six actors, each of which sends only to later ones; return it with the names."""
    graph = Graph(f"anything {seed}", log_level="error", shutdown_timeout=30.0)
    return graph, fill(graph, seed, total)


def fill(graph: Graph, seed: int, total: int, *, paced: bool = False) -> list[str]:
    """Declare such a graph; return the names of its actors. Where they are `paced`, they space commits and recycle."""
    dice, kinds = random.Random(seed), random.Random(~seed)
    pace = random.Random(seed ^ 0xACE)
    names = [f"actor {number}" for number in range(dice.randrange(3, 7))]
    inputs: list[list[Rx[Any]]] = [[] for _ in names]
    outputs: list[list[Tx[Any]]] = [[] for _ in names]
    for place in range(1, len(names)):
        for source in dice.sample(range(place), min(place, dice.choice((1, 1, 2)))):
            capacity, ring_bytes = dice.choice((1, 2, 3, 8, 64)), dice.choice((4096, 8192, 1 << 16))
            tx: Tx[Any]
            rx: Rx[Any]
            if kinds.random() < LANES:
                tx, rx = graph.channel(capacity, dtype=kinds.choice("qH"), mirror=kinds.random() < LANES)
            else:
                tx, rx = graph.channel(capacity, ring_bytes=ring_bytes)
            outputs[source].append(tx)
            inputs[place].append(rx)
    for place, name in enumerate(names):
        made = 0 if inputs[place] else total
        arguments = (inputs[place], outputs[place], made, graph.state())
        options = pace_of(pace) if paced else {}
        graph.actor(name, play, *arguments, restart=_UNTIRING, **options)
    return names


def pace_of(dice: random.Random) -> dict[str, Any]:
    """Draw a cadence, and limits of a life, for an actor; either may be missing."""
    seconds, turns = dice.choice((1e-5, 1e-4, 2e-3, 0.02)), dice.choice((None, 1, 3, 40))
    ages, counts = dice.choice((None, None, 0.03)), dice.choice((None, None, 7, 30))
    return {
        "commit_every": dice.choice((None, *[CommitEvery(seconds=seconds, turns=turns)] * 3)),
        "recycle": Recycle(max_age=ages, max_messages=counts) if ages or counts else None,
    }


def faults(states: dict[str, Any], total: int) -> list[str]:
    """Say what is wrong with the final states of such a graph's actors; nothing if it is exact."""
    ledgers = [state if isinstance(state, Ledger) else Ledger(**state) for state in states.values()]
    wrong = [line for ledger in ledgers for line in ledger.wrong]
    made = sum(ledger.made for ledger in ledgers)
    got = sum(sum(ledger.got) for ledger in ledgers if not ledger.sent)
    if made != total or got != total:
        wrong.append(f"{made} of {total} made, {got} got")
    return wrong
