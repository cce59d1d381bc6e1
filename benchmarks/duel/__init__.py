"""The kill duel: the same producer, consumer and SIGKILLs, over each peer's queue and over ours.

A run lasts for three kills. The seed of a run draws, before it begins and alike for all contestants, who
is killed each time (the producer or the consumer), and how long all goes well before that; every other
run is under full load, and in the rest the producer sends one message a millisecond, so that the consumer
mostly waits. Messages are numbers in order. After the last kill the producer is told to stop, sends how
many there were, and the consumer ends when it has read that.

**Peers get the fairest set-up that we know.** Whoever watches (this process) starts a replacement at once,
as a new process attached to the same queue: it inherits the same `multiprocessing.Queue`, lock and pipe, or
opens a fresh socket, node or service of the same name. Both ends of every pipe stay open in the parent, so
that nobody sees an end-of-file. The book-keeping survives all kills and costs nothing: it is in a file that
all map. The producer notes there how far it has come as soon as `put` returns, and its replacement goes on
with the next number; the consumer notes each number as soon as `get` returns. So what a peer loses or
doubles is what its queue, and the one instruction between the two, lost or doubled.

**Ours** is an actor at either end with its state, restarted by the supervisor. What it counts is in the
state and commits with the messages; the shared file is told only when something arrives, for the clock.

A run is *wedged* when both processes are up and no message arrives for `WEDGED` seconds; *crashed* when a
process that nobody killed ends with an error. Lost and doubled messages are counted in the runs that came
to their end. The time to the next message is from a SIGKILL to the first message that the replacement has
read, or, where the producer was killed, to the first one read that its replacement has sent.
"""

from __future__ import annotations

from typing import Final

#: Seconds without a message, both processes up, after which a run is wedged.
WEDGED: Final = 2.0
