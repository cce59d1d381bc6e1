"""The fault points: where a life can be made to end, in the order in which a life comes to them.

`docs/architecture.md` says what has happened at each of them.
"""

from __future__ import annotations

from typing import Final

#: On the way to the first turn. What they leave undone, the next life does again.
START: Final = ("start:begin", "start:mapped", "recover:publish", "start:recovered", "start:ready")
#: A death here undoes the turn.
UNDONE: Final = ("commit:begin", "commit:records", "commit:snapshot", "commit:journal")
#: Behind these the turn holds, whoever dies.
DONE: Final = ("commit:epoch", "commit:publish", "commit:published", "commit:ring", "commit:done")
#: On the way to sleep, and back.
PARKED: Final = ("park:armed", "park:sleep", "park:woke")

FAULT_POINTS: Final = (*START, *UNDONE, *DONE, *PARKED)

#: What an actor on a `Bench` comes to. Nobody sleeps at the other ends, so it has nobody to ring; and nobody wakes it,
#: unless it waits for a time, or for a descriptor: one of those comes to ``park:woke`` too.
ON_BENCH: Final = tuple(point for point in FAULT_POINTS if point not in {"commit:ring", "park:woke"})
