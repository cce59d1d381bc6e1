"""The sink of the pipeline: a line for each message, and the totals as the last one."""

from dataclasses import dataclass

from actors.fizzbuzz import FizzBuzz, Value, Word
from steady_mp import Actor, Rx, SteadyState


@dataclass
class LoggerState:
    """How many messages of each kind have come."""

    fizzbuzz: int = 0
    fizz: int = 0
    buzz: int = 0
    value: int = 0

    def count(self, message: FizzBuzz) -> None:
        """Count one message."""
        match message:
            case Word.FIZZBUZZ:
                self.fizzbuzz += 1
            case Word.FIZZ:
                self.fizz += 1
            case Word.BUZZ:
                self.buzz += 1
            case Value():
                self.value += 1

    def __str__(self) -> str:
        return f"FizzBuzz {self.fizzbuzz}, Fizz {self.fizz}, Buzz {self.buzz}, Value {self.value}"


def run(actor: Actor, results: Rx[FizzBuzz], state: SteadyState[LoggerState]) -> None:
    """Log and count all there is, in order, until nothing more can come."""
    totals = state.acquire(LoggerState)
    while actor.is_running():
        actor.await_for_all(results.wait_avail(1))
        for message in results.take_slice(results.avail()):
            actor.log.info("Msg %s", message)
            totals.count(message)
    actor.log.info("Totals: %s", totals)
