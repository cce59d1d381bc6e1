"""Commit and recovery against a model: three actors in a ring, killed wherever a kill can matter.

Each actor sends to the next one and keeps a state. The model knows what every commit has made hold and,
while an actor is dead, which of its cursors it had still shown to its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from steady_mp import SendOutcome
from steady_mp.memory import layout
from steady_mp.memory.layout import PAGE
from steady_mp.testing.points import DONE, UNDONE
from steady_mp.testing.rig import Killed, Party, Rig
from tests.unit import values

actors = st.integers(0, 2)


@dataclass
class Stream:
    """One channel in the model. `sent` is all that was ever committed; numbers are counts into it."""

    sent: list[Any] = field(default_factory=list)
    taken: int = 0
    shown_tail: int = 0
    shown_head: int = 0


@dataclass
class Life:
    """One actor in the model: what its turn has staged, and the state as of the last commit."""

    sends: list[Any] = field(default_factory=list)
    takes: int = 0
    saved: list[int] | None = None
    state: list[int] | None = None
    dead: bool = False


class CommitModel(RuleBasedStateMachine):
    @initialize(capacity=st.sampled_from([1, 3, 8, 64]), pages=st.sampled_from([1, 4]), grouped=st.booleans())
    def begin(self, capacity: int, pages: int, *, grouped: bool) -> None:
        self.rig = Rig()
        self.parties = [self.rig.party(name, grouped=grouped) for name in "abc"]
        for index in range(3):
            self.rig.channel(
                self.parties[index], self.parties[(index + 1) % 3], capacity=capacity, ring_bytes=pages * PAGE
            )
        self.rig.start()
        self.capacity = capacity
        self.streams = [Stream() for _ in range(3)]
        self.lives = [Life() for _ in range(3)]

    def alive(self, actor: int) -> Party:
        """Return an actor, in its next life if the last one is over."""
        self.revive_one(actor, [])
        return self.parties[actor]

    # Within a turn

    def room(self, actor: int) -> int:
        stream, life = self.streams[actor], self.lives[actor]
        return self.capacity - (len(stream.sent) + len(life.sends) - stream.shown_head)

    @rule(actor=actors, value=values.mixed)
    def try_send(self, actor: int, value: Any) -> None:
        if self.alive(actor).tx(actor).try_send(value) is SendOutcome.SENT:
            assert self.room(actor) > 0
            self.lives[actor].sends.append(value)

    @rule(actor=actors, several=st.lists(values.atoms.filter(lambda value: len(repr(value)) < 40), max_size=6))
    def send_slice(self, actor: int, several: list[Any]) -> None:
        party = self.alive(actor)
        if len(several) <= self.room(actor):
            used = party.tx(actor).statistics().bytes_in_flight + 300 * (len(several) + len(self.lives[actor].sends))
            if used < self.rig.words(actor)[layout.CH_RING_BYTES]:
                party.tx(actor).send_slice(several)
                self.lives[actor].sends.extend(several)

    @rule(actor=actors, count=st.integers(0, 70), peek=st.booleans())
    def take_slice(self, actor: int, count: int, *, peek: bool) -> None:
        party, source = self.alive(actor), (actor - 1) % 3
        stream, life = self.streams[source], self.lives[actor]
        start = stream.taken + life.takes
        expected = stream.sent[start : min(start + count, stream.shown_tail)]
        rx = party.rx(source)
        assert rx.position() == start
        found = rx.peek_slice(count) if peek else rx.take_slice(count)
        assert values.told_apart(found) == values.told_apart(expected)
        life.takes += 0 if peek else len(expected)

    @rule(actor=actors, number=st.integers(0, 3))
    def change_state(self, actor: int, number: int) -> None:
        party = self.alive(actor)
        life = self.lives[actor]
        state = party.state().acquire(list)
        assert state == (life.state or [])
        state.append(number)
        life.state = [*(life.state or []), number]

    # Ends of turns

    def holds(self, actor: int) -> None:
        """Everything that the actor has staged is committed; it may not have been shown yet."""
        life = self.lives[actor]
        self.streams[actor].sent += life.sends
        self.streams[(actor - 1) % 3].taken += life.takes
        life.saved = life.state
        life.sends, life.takes = [], 0

    def show(self, actor: int, channels: set[int]) -> None:
        if actor in channels:
            self.streams[actor].shown_tail = len(self.streams[actor].sent)
        if (actor - 1) % 3 in channels:
            self.streams[(actor - 1) % 3].shown_head = self.streams[(actor - 1) % 3].taken

    @rule(actor=actors)
    def commit(self, actor: int) -> None:
        self.alive(actor).turn.commit()
        self.holds(actor)
        self.show(actor, {0, 1, 2})

    @rule(actor=actors, seconds=st.sampled_from([0.0, 2e-4, 2e-3]))
    def end_turn(self, actor: int, seconds: float) -> None:
        """It may put the commit off; what is put off is staged like the rest."""
        party = self.alive(actor)
        self.rig.clock.advance(seconds)
        party.turn.end()
        if party.turn.pending == 0:
            self.holds(actor)
            self.show(actor, {0, 1, 2})

    @rule(actor=actors, point=st.sampled_from([*UNDONE, *DONE]), hit=st.integers(1, 2))
    def die_in_a_commit(self, actor: int, point: str, hit: int) -> None:
        party = self.alive(actor)
        party.kill_at(point, hit)
        party.reached.clear()
        places = {end: index for (index, *_), end in zip(party.channels, party.life.ends, strict=True)}
        moved = [places[end] for end in party.turn.moved if end.is_staged()]
        try:
            party.turn.commit()
        except Killed:
            self.lives[actor].dead = True
            if point in UNDONE:
                return
        party.spare()
        self.holds(actor)
        self.show(actor, set(moved[: party.reached.count("commit:publish")]))

    @rule(actor=actors)
    def die_at_work(self, actor: int) -> None:
        self.lives[actor].dead = True

    # Whole turns, because steps drawn one by one seldom make one

    def work(self, actor: int, count: int, several: list[Any]) -> None:
        self.take_slice(actor, count, peek=False)
        for value in several:
            self.try_send(actor, value)
        self.change_state(actor, count)

    @rule(actor=actors, count=st.integers(0, 5), several=st.lists(values.mixed, max_size=4))
    def whole_turn(self, actor: int, count: int, several: list[Any]) -> None:
        self.work(actor, count, several)
        self.commit(actor)

    @rule(
        actor=actors,
        count=st.integers(0, 5),
        several=st.lists(values.mixed, max_size=4),
        point=st.sampled_from([*UNDONE, *DONE]),
        hit=st.integers(1, 2),
    )
    def deadly_turn(self, actor: int, count: int, several: list[Any], point: str, hit: int) -> None:
        self.work(actor, count, several)
        self.die_in_a_commit(actor, point, hit)

    @rule(actor=actors, kills=st.lists(st.integers(1, 2), max_size=3))
    def die_in_recoveries(self, actor: int, kills: list[int]) -> None:
        self.lives[actor].dead = True
        self.revive_one(actor, kills)

    def revive_one(self, actor: int, kills: list[int]) -> None:
        """Begin the next life of an actor that is dead; those before it die in their recovery."""
        life = self.lives[actor]
        if life.dead:
            for hit in kills:
                self.parties[actor].kill_at("recover:publish", hit)
                with pytest.raises(Killed):
                    self.parties[actor].begin()
            self.parties[actor].begin()
            self.lives[actor] = Life(saved=life.saved, state=life.saved)
            self.show(actor, {0, 1, 2})

    # What always holds

    @invariant()
    def channels_show_what_the_model_shows(self) -> None:
        for index, stream in enumerate(self.streams):
            words = self.rig.words(index)
            assert words[layout.TAIL] == stream.shown_tail
            assert words[layout.HEAD] == stream.shown_head
            assert words[layout.TAIL] - words[layout.HEAD] <= self.capacity
            assert 0 <= words[layout.TAIL_POS] - words[layout.HEAD_POS] <= words[layout.CH_RING_BYTES]

    @invariant()
    def a_fresh_life_finds_the_state_of_the_last_commit(self) -> None:
        for party, life in zip(self.parties, self.lives, strict=True):
            journal = party.control.journal()
            if life.saved is None:
                assert not journal.snapshot_length

    def teardown(self) -> None:
        """Let all that is committed arrive: each message once, in order."""
        if not hasattr(self, "rig"):
            return
        for actor in range(3):
            self.commit(actor)
            self.take_slice((actor + 1) % 3, 10_000, peek=False)
        for stream, life in zip(self.streams, (self.lives[1], self.lives[2], self.lives[0]), strict=True):
            assert stream.taken + life.takes == len(stream.sent)
        super().teardown()


TestCommitModel = CommitModel.TestCase
