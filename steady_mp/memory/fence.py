"""The one memory barrier of the project.

Everything that processes tell each other goes through aligned 8-byte words of shared memory, stored
and loaded one at a time through a ``memoryview`` cast to ``Q`` (CPython copies such an item with one
8-byte ``memcpy``, which is a single move on the platforms below).

What the processor may reorder:

* **x86-64** is TSO: stores stay in order, loads stay in order, and only a later load may pass an
  earlier store that still sits in the store buffer. That one case decides whether a wake-up is lost
  ("I store my cursor, then look whether you wait" against "I store that I wait, then look at your
  cursor"), so it needs a locked instruction between the store and the load.
* **AArch64** may reorder any two accesses to different words. A release (``stlr``) followed by an
  acquire (``ldar``) is a full barrier there: nothing before the release moves below it, nothing after
  the acquire moves above it, and the architecture keeps an ``ldar`` behind an earlier ``stlr``.

Releasing and re-acquiring a ``threading.Lock`` is both: CPython's lock operations are atomic
read-modify-writes with release and acquire order (a ``lock``-prefixed instruction on x86-64). The
lock is private to this process and this thread takes it back at once: it protects nothing, is never
waited for, and is never shared, so no crash can leave it held. It costs about 0.1 µs.

A process that is killed needs no fence at all: the stores that it executed before the kill are
visible to whoever observed its death, in program order, and none after. The fences are for neighbours
that live.
"""

from __future__ import annotations

import platform
import threading
from typing import Final

#: Stores among themselves, and loads among themselves, stay in order on this processor.
ORDERED: Final = platform.machine() in {"x86_64", "AMD64"}

_barrier = threading.Lock()
_barrier.acquire()
_release = _barrier.release
_acquire = _barrier.acquire


def fence() -> None:
    """Order every load and store before the call before every one after it (a full barrier)."""
    try:
        _release()
    except BaseException:  # of a signal's handler, which runs where a call ends; the next fence begins with a held lock
        _acquire(False)  # noqa: FBT003 - by name it would be `blocking`
        raise
    _acquire()


def order() -> None:
    """Order stores among themselves and loads among themselves; free where the processor does so."""
    if not ORDERED:
        fence()
