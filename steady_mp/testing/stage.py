"""The stage: a whole graph with real processes, in which the test plays some of the actors.

    with Stage(build_graph, Args(rate=10, beats=1000), playing=["generator", "logger"]) as stage:
        stage.actor("generator").echo(15)
        stage.actor("logger").wait_for(Word.FIZZBUZZ, timeout=2)
        stage.final_bow()

An actor is played by declaration: where the production `build_graph` declares it, its behavior is replaced by
one that follows the test, with the same ends, restart policy and name. Everything else is what production runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import select
import time
from typing import TYPE_CHECKING, Any, Self, TextIO

from steady_mp import ConfigurationError, Event, Graph, Report
from steady_mp.events import ActorFinished, ActorGivenUp, RunStopped
from steady_mp.memory.doorbell import Doorbell
from steady_mp.packing import Declared, pack
from steady_mp.plan import actor_file
from steady_mp.testing.part import play
from steady_mp.testing.player import Player
from steady_mp.testing.positions import wants_room
from steady_mp.testing.running import NO_ARGS
from steady_mp.testing.under_test import LONG_PATIENCE, GraphUnderTest
from steady_mp.testing.waiting import time_left
from steady_mp.testing.wire import listen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path


class _Casting(Graph):
    """A graph in which some actors are given another behavior when they are declared."""

    def __init__(self, playing: Sequence[str], **options: Any) -> None:  # noqa: ANN401 - those of Graph
        super().__init__(**options)
        self._playing = playing

    def actor(
        self,
        name: str,
        behavior: Callable[..., None],
        *args: object,
        **options: Any,  # noqa: ANN401 - those of Graph.actor
    ) -> None:
        """Declare an actor as production does, with all checks; then let the test play it if it wants to."""
        super().actor(name, behavior, *args, **options)
        if name not in self._playing:
            return
        declared = self._actors[-1]
        ends: dict[bool, list[Declared]] = {True: [], False: []}
        for end in declared.ends:
            kind = "tx" if end.sends else "rx"
            ends[end.sends].append(Declared(kind, end.channel, f"{kind} of {name}", self._identity))  # type: ignore[arg-type]
        arguments = (ends[True], ends[False], _socket_name(len(self._actors) - 1))
        packed, _ = pack(name, play, ["outputs", "inputs", "name"], arguments)
        self._actors[-1] = dataclasses.replace(
            declared,
            behavior=f"{play.__module__}:{play.__name__}",
            packed=packed,
            # A test says itself when what it plays commits and when it ends, and takes its time between two things.
            commit_every=None,
            recycle=None,
            stall_timeout=None,
        )


class Stage(GraphUnderTest):
    """A running graph some of whose actors the test plays. Use it as a context manager.

    All that `GraphUnderTest` can do can be done here too: kill, freeze, crash_at, wait_for, …, also to played actors.
    """

    def __init__(  # noqa: PLR0913 - keyword only
        self,
        build_graph: Callable[..., object],
        args: object = NO_ARGS,
        *,
        playing: Sequence[str] | str,
        crash_at: Iterable[tuple[Any, ...]] = (),
        output: TextIO | None = None,
        root: Path | None = None,
        **options: Any,  # noqa: ANN401 - those of Graph
    ) -> None:
        """Declare the graph by `build_graph`, and play the actors whose names are `playing`.

        The rest is as for `GraphUnderTest`. Raises ConfigurationError for a name that no actor has.
        """
        self._playing = (playing,) if isinstance(playing, str) else tuple(playing)
        super().__init__(build_graph, args, crash_at=crash_at, output=output, root=root, **options)
        for name in self._playing:
            self._check_actor(name)
        self._players = {
            actor.name: Player(
                actor.name,
                [self._plan.channels[end.channel] for end in actor.ends if end.sends],
                [self._plan.channels[end.channel] for end in actor.ends if not end.sends],
                self,
                functools.partial(self._end_of, actor.name),
            )
            for actor in self._plan.actors
            if actor.name in self._playing
        }
        self._leaving = False

    def _declare(self, what: object, args: object, options: dict[str, Any]) -> Graph:
        if isinstance(what, Graph):
            message = f"graph {what.name!r} is declared already: pass the build_graph that declares it"
            raise ConfigurationError(message)
        return super()._declare(what, args, options)

    def _new_graph(self, **options: Any) -> Graph:  # noqa: ANN401 - those of Graph
        return _Casting(self._playing, **options)

    # From its start to its end

    def start(self) -> Self:
        """Start all actors and return at once; see `GraphUnderTest.start`."""
        super().start()
        try:
            self._listen()
        except BaseException:
            self.close()
            raise
        return self

    def _listen(self) -> None:
        """Let the played actors connect, and wake those that wait for it."""
        directory = self.run.directory
        for index, actor in enumerate(self._plan.actors):
            if (player := self._players.get(actor.name)) is not None:
                with contextlib.suppress(FileNotFoundError):  # it has ended already; who asks will be told
                    player.conversation.begin(listen(directory / _socket_name(index)))
                    bell = Doorbell(directory / actor_file(index, "bell"))
                    bell.ring()
                    bell.close()

    def _release(self) -> None:
        for player in self._players.values():
            player.conversation.close()

    def _on_event(self, event: Event) -> None:
        super()._on_event(event)
        if isinstance(event, ActorFinished | ActorGivenUp | RunStopped):
            for player in self._players.values():
                player.conversation.nudge.give()

    # What the test does on it

    def actor(self, name: str) -> Player:
        """Return the played actor of that name. Raises ConfigurationError for one that is not played."""
        self._check_actor(name)
        if name not in self._players:
            message = f"{name} plays itself: the test plays {', '.join(self._players) or 'nobody'}"
            raise ConfigurationError(message)
        return self._players[name]

    def wants_room(self, channel: str, head: int) -> bool:
        """Tell whether the sender of a channel waits for room that it gets once all before message `head` is taken."""
        try:
            return wants_room(self.run, self._channel_index(channel), head)
        except ValueError:  # it has ended, and its memory was unmapped
            return False

    def final_bow(self, seconds: float = LONG_PATIENCE, *, rescued: bool = False) -> Report:
        """Everybody leaves: sources stop, outputs close, all that is queued is taken. Return the report.

        What played actors still get meanwhile stays for `Player.take_all`. Raises AssertionError with the dump
        when the graph has not ended after `seconds`, or not cleanly, and otherwise like `finish`.
        """
        if not self.events.is_over:
            self.run.request_shutdown("the final bow")
        report = self.finish(seconds, rescued=rescued)
        if not report.clean:
            self.fail(f"the graph did not end cleanly: {'; '.join(report.why)}")
        return report

    def finish(self, seconds: float = LONG_PATIENCE, *, rescued: bool = False) -> Report:
        """Let the played actors leave, and wait until the graph has come to its end by itself.

        See `GraphUnderTest.finish`. A played actor leaves when its inputs have come to their ends.
        """
        for player in self._players.values():
            player.leave()
        self._leaving = bool(self._players)
        return super().finish(seconds, rescued=rescued)

    def _await_end(self, deadline: float) -> Report | None:
        while self._leaving and not self.events.is_over and time.monotonic() < deadline:
            self._see_off(deadline)
        return super()._await_end(deadline)

    def _see_off(self, deadline: float) -> None:
        """Wait for news of the played actors, and go on with them."""
        poll = select.poll()
        for player in self._players.values():
            for descriptor in player.conversation.descriptors:
                poll.register(descriptor, select.POLLIN)
        poll.poll(time_left(deadline) * 1000)
        for player in self._players.values():
            player.follow()


def _socket_name(index: int) -> str:
    """Name of the file in the run directory that a played actor connects to."""
    return f"actor-{index}.stage"
