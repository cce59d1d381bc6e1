"""What follows a death: show the neighbours what the last commit fixed.

An actor may die between its commit and the end of its publishing. Its journal in force then says more
than the channels show. Recovery copies the cursors again, which changes nothing where they stood
already, and the caller rings every neighbour once, because the dead actor may have owed a ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.channel.publish import publish_rx, publish_tx
from steady_mp.memory import layout
from steady_mp.memory.hands import let_go

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.memory.control import ControlBlock, Journal


def recover(
    control: ControlBlock,
    channels: Sequence[tuple[bool, memoryview]],
    reach: Callable[[str], None] = lambda _: None,
) -> Journal:
    """Publish the journal in force of a dead actor, and drop the rings that it had asked for.

    `channels` are the header words of its endpoints in the order of the topology, each with whether
    the actor sends there; `reach` is told of each fault point. Only for an actor that provably does not run.
    """
    journal = control.journal()
    for (sends, words), cursor in zip(channels, journal.cursors, strict=True):
        if sends:
            publish_tx(words, cursor)
            words[layout.WAKE_HEAD] = layout.NEVER
            words[layout.TX_HELD] = words[layout.TX_STUCK] = 0
        else:
            publish_rx(words, cursor)
            words[layout.WAKE_TAIL] = layout.NEVER
            words[layout.RX_HELD] = 0
        reach("recover:publish")
    control.words[layout.DEBUGGED] = 0
    let_go(control, [cursor.messages for cursor in journal.cursors])
    control.words[layout.REQUESTED] = journal.requested
    control.words[layout.FINISHED] = journal.finished
    return journal
