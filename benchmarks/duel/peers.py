"""A peer's side of the kill duel: two processes on one link, replaced by hand."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from benchmarks.duel.board import (
    CONSUMER,
    FINISHED,
    LAST,
    LIFE_SHIFT,
    MOST,
    NUMBER,
    PRODUCER,
    RECEIVED,
    SENT,
    STOP,
    ScoreBoard,
)
from benchmarks.duel.referee import CrashedError, Referee, Result, WedgedError
from benchmarks.pair import CONTEXT

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from benchmarks.duel.referee import Script
    from benchmarks.peer import Link, Peer

_CAPACITY = 64
_JOIN = 5.0


def produce(link: Link, path: Path, life: int, pace: float) -> None:
    """Send numbers from where the life before had come to, until told to stop; then how many there were."""
    board = ScoreBoard(path)
    words = board.words
    board.begin(PRODUCER, life)
    send = link.sender()
    mark = life << LIFE_SHIFT
    while not words[STOP] and words[SENT] < MOST:
        send(mark | words[SENT])
        words[SENT] += 1
        if pace:
            time.sleep(pace)
    send(LAST | words[SENT])
    while not words[FINISHED]:  # some peers lose what a process sent just before its end
        time.sleep(0.001)


def consume(link: Link, path: Path, life: int, pace: float) -> None:
    """Note what comes, until it is the last."""
    del pace  # that of whoever sends
    board = ScoreBoard(path)
    words, seen = board.words, board.seen
    board.begin(CONSUMER, life)
    receive = link.receiver()
    sender = 0
    fresh = True
    while not words[FINISHED]:
        value = receive()
        if value & LAST:
            words[FINISHED] = 1
            break
        seen[value & NUMBER] += 1
        words[RECEIVED] += 1
        if fresh:
            fresh = False
            board.arrived(CONSUMER, life)
        if value >> LIFE_SHIFT > sender:
            sender = value >> LIFE_SHIFT
            board.arrived(PRODUCER, sender)


def _quietly(who: int, *given: Any) -> None:  # noqa: ANN401 - handed on
    """Be `who`. What a crash has to say is its exit status: a traceback would stand in the middle of the tables."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    (produce, consume)[who](*given)


class PeerSide:
    """The two processes, and who was killed."""

    def __init__(self, link: Link, path: Path, pace: float) -> None:
        """Start both."""
        self._given: tuple[Any, ...] = (link, path)
        self._pace = pace
        self._lives = [0, 0]
        self._expected: int | None = None
        self._processes: list[BaseProcess] = [self._start(PRODUCER), self._start(CONSUMER)]

    def _start(self, who: int) -> BaseProcess:
        self._lives[who] += 1
        given = (who, *self._given, self._lives[who], self._pace)
        process = CONTEXT.Process(target=_quietly, args=given, daemon=True)
        process.start()
        return process

    def expect(self, who: int) -> None:
        """See `Side.expect`."""
        self._expected = who

    def tend(self) -> None:
        """See `Side.tend`."""
        for who, process in enumerate(self._processes):
            if process.exitcode is None:
                continue
            if who != self._expected:
                message = f"the {('producer', 'consumer')[who]} ended with status {process.exitcode}"
                raise CrashedError(message)
            self._expected = None
            process.join()
            self._processes[who] = self._start(who)

    def join(self) -> None:
        """Let both end, now that all is said."""
        for process in self._processes:
            process.join(_JOIN)

    def end(self) -> None:
        """Kill what is left."""
        for process in self._processes:
            process.kill()
            process.join()


def fight(peer: Peer, script: Script) -> Result:
    """Run one duel over a fresh link of `peer`."""
    result = Result()
    path = ScoreBoard.create()
    board = ScoreBoard(path)
    link = peer.link(_CAPACITY, CONTEXT)
    side = PeerSide(link, path, script.pace)
    referee = Referee(board, side)
    try:
        referee.kill(script, result)
        board.words[STOP] = 1
        referee.see_to_the_end(lambda: bool(board.words[FINISHED]))
        side.join()
        _count(board, result)
    except WedgedError:
        result.wedged = True
    except CrashedError as error:
        result.crashed = str(error)
    finally:
        side.end()
        link.close()
        board.close()
        path.unlink()
    return result


def _count(board: ScoreBoard, result: Result) -> None:
    times = bytes(board.seen[: board.words[SENT]])
    result.lost = times.count(0)
    result.doubled = sum(times) - (len(times) - result.lost)
