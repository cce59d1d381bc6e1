"""Behaviors with a `breakpoint()`, and hooks that somebody may have put in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, SteadyState, Tx


@dataclass
class Seen:
    values: list[int] = field(default_factory=list)


def count(actor: Actor, out: Tx[int], total: int, state: SteadyState[list[int]]) -> None:
    """Send the numbers below `total`."""
    sent = state.acquire(lambda: [0])
    while actor.is_running() and sent[0] < total:
        if actor.await_for_all(out.wait_vacant(1)):
            out.send(sent[0])
            sent[0] += 1


def inspect(actor: Actor, numbers: Rx[int], at: tuple[int, ...], state: SteadyState[Seen]) -> None:
    """Keep what comes; stop at some values, in the first life."""
    seen = state.acquire(Seen)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            value = numbers.take()
            if value in at and actor.generation == 1:
                breakpoint()  # noqa: T100 - what is tested
            seen.values.append(value)


def notice(*_args: Any, **_kwargs: Any) -> None:
    """Be somebody's own hook."""
    print("noticed a breakpoint", flush=True)  # noqa: T201 - the test waits for it
