"""A consumer that checks what comes, and scripts of actors that refuse, hang, spin or start something."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steady_mp.testing.scripted import Script
from steady_mp.testing.steps import HangAsleep, HangBusy, LeakProcess, LiveOn, Refuse, Say

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, SteadyState, Tx

REFUSING = Script.each_life([Refuse("3 orders unpaid")])
#: Waits in a way that the runtime knows nothing of.
HANGING = Script.each_life([HangAsleep()])
#: Never looks up again.
SPINNING = Script.each_life([Say("spinning busy"), HangBusy()])
#: Has a child in its process group, and one that has left it and lost its parent.
PARENT = Script.each_life([LeakProcess(), LeakProcess(daemon=True), Say("has children"), LiveOn()])


@dataclass
class Tally:
    count: int = 0
    total: int = 0
    in_order: bool = True


def tally(actor: Actor, numbers: Rx[int], state: SteadyState[Tally]) -> None:
    """Count and add up what comes, without keeping it."""
    found = state.acquire(Tally)
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(1))
        for value in numbers.take_slice(numbers.avail()):
            found.in_order = found.in_order and value == found.count
            found.count += 1
            found.total += value


def fork_in_midst(actor: Actor, out: Tx[int], how: str, state: SteadyState[Tally]) -> None:
    """Send 0 to 19, and let a fork of the process go its own way behind the fifth one, until that has ended."""
    found = state.acquire(Tally)
    while actor.is_running() and found.count < 20:
        out.send(found.count)
        found.count += 1
        if found.count == 5:
            actor.commit()
            pid = os.fork()
            if pid == 0:
                out.send(-1)
                if how == "leaves":
                    sys.exit(3)
                if how == "returns":
                    return
                continue
            found.total = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
