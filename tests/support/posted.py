"""A simulated run in which messages are put aside, and replayed, whenever their receiver lies dead."""

from __future__ import annotations

import contextlib
import dataclasses
import pickle
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

from steady_mp.memory import layout
from steady_mp.memory.letters import Mail, Order, orders_done
from steady_mp.supervisor.quarantine import message_of
from steady_mp.testing.simulation.player import Player

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp import Actor, Graph, Rx, SteadyState, Tx
    from steady_mp.channel.ring import Ring
    from steady_mp.life import Place
    from steady_mp.testing.simulation.outcome import Outcome

TOTAL = 120


@dataclass
class Taken:
    """What one actor has taken, with the positions."""

    values: list[int] = field(default_factory=list)


def source(actor: Actor, numbers: Tx[Any], sent: SteadyState[list[int]]) -> None:
    """Send the numbers: by themselves, in slices, and as objects."""
    count = sent.acquire(lambda: [0])
    while actor.is_running() and count[0] < TOTAL:
        if count[0] % 30 == 10:
            numbers.send_slice(list(range(count[0], count[0] + 7)))
            count[0] += 7
        else:
            numbers.send([count[0]] if count[0] % 3 else count[0])
            count[0] += 1


def relay(actor: Actor, numbers: Rx[Any], further: Tx[int], taken: SteadyState[Taken]) -> None:
    """Take by one, by slices, by whatever there is; each number once."""
    kept = taken.acquire(Taken)
    while actor.is_running():
        if not actor.await_for_all(numbers.wait_avail(3), further.wait_vacant(4)):
            values = [] if (value := numbers.try_take()) is None else [value]
        elif len(kept.values) % 4 == 0:
            assert len(numbers.peek_slice(3)) == 3
            values = numbers.take_slice(3)
            assert len(values) == 3, "what was waited for is there"
        else:
            values = [numbers.take() for _ in range(min(2, numbers.avail()))]
        for value in values:
            number = value[0] if isinstance(value, list) else value
            kept.values.append(number)
            further.send(number)


def sink(actor: Actor, numbers: Rx[int], taken: SteadyState[Taken]) -> None:
    """Keep them."""
    kept = taken.acquire(Taken)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            kept.values.append(numbers.take())


def build(graph: Graph) -> None:
    """Declare the three."""
    tx, rx = graph.channel(32, name="numbers")
    further_tx, further_rx = graph.channel(16, name="further")
    graph.actor("source", source, tx, graph.state())
    graph.actor("relay", relay, rx, further_tx, graph.state())
    graph.actor("sink", sink, further_rx, graph.state())


class Office:
    """Puts messages aside between two lives of the relay, as a supervisor does, and orders some of them back."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.letters: dict[int, bytes] = {}
        self.orders: list[int | None] = []

    def mail(self, place: Place, channel: int) -> Mail:
        """Go round, and hand over what there is: the life is about to begin."""
        end = next(n for n, end in enumerate(place.plan.actors[place.index].ends) if end.channel == channel)
        cursor = place.control.journal().cursors[end]
        ring = cast("Ring", place.stores[end])
        for position in range(cursor.messages, ring.words[layout.TAIL]):
            if position not in self.letters and self.dice.random() < 0.2:
                self.letters[position] = message_of(ring, cursor, position)
        waiting = self.orders[orders_done(cursor.closed) :]
        for position in self.letters:
            if position not in self.orders and self.dice.random() < 0.4:
                self.orders.append(position)
        for index, ordered in enumerate(self.orders):
            if ordered in waiting and self.dice.random() < 0.1:
                self.orders[index] = None
        orders = tuple(None if each is None else Order(each, self.letters[each]) for each in self.orders)
        return Mail(frozenset(self.letters), orders)

    def left(self, done: int) -> set[int]:
        """Return what has to be missing at the end: put aside, and not replayed."""
        delivered = {position for position in self.orders[:done] if position is not None}
        return {_number(pickle.loads(self.letters[each])) for each in self.letters if each not in delivered}  # noqa: S301

    def check(self, outcome: Outcome) -> None:
        """See that nothing is lost and nothing came twice, but what is a letter still."""
        relay, sink = outcome.states["relay"].values, outcome.states["sink"].values
        assert sink == relay
        assert len(set(relay)) == len(relay), "something came twice"
        in_line = [number for number in relay if number not in self.letters]
        assert in_line == sorted(in_line), "what was never put aside keeps its order"
        missing = set(range(TOTAL)) - set(relay)
        assert missing == self.left(len(self.orders)), (missing, self.orders)


def _number(value: Any) -> int:
    return int(value[0] if isinstance(value, list) else value)


@contextlib.contextmanager
def opened(office: Office) -> Iterator[None]:
    """Have every life of the relay ask the office for its mail."""
    place_of = Player._place

    def place(player: Player) -> Place:
        made = place_of(player)
        if player.name != "relay":
            return made
        return dataclasses.replace(made, mail=lambda channel: office.mail(made, channel))

    with mock.patch.object(Player, "_place", place):
        yield
