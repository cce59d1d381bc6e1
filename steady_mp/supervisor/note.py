"""The note: what a life says about its own end, for the supervisor.

An exception stays where it was raised. What crosses to the supervisor is text, so it may be one that can't be pickled,
whose ``str()`` fails, or that was raised because no memory was left.
"""

from __future__ import annotations

import json
import os
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Self

from steady_mp.memory.deaths import cut
from steady_mp.memory.files import write
from steady_mp.supervisor.stacks import place

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes that a life keeps to itself until its last words: they are never touched, so they cost address space only.
BALLAST: Final = 1 << 20
#: What an exception is called that says that no memory was left.
OUT_OF_MEMORY: Final = "out of memory"
_LONGEST_CAUSE: Final = 2000


@dataclass(frozen=True, slots=True)
class Note:
    """The end of the life of process `pid`, in its own words. Where `cause` is empty, its exit status tells.

    `renewal` is the exit status of an end that the life has planned, so that one that is killed on its way out has
    not failed either; None for every other end. One that is `hopeless` would only be repeated by the next life.
    """

    pid: int
    cause: str = ""
    detail: str = ""
    traceback: str = ""
    renewal: int | None = None
    hopeless: bool = False

    @classmethod
    def of_error(cls, error: BaseException, *, hopeless: bool = False) -> Self:
        """Describe an exception that has ended the life; never raises one."""
        short_of_memory = isinstance(error, MemoryError)
        if short_of_memory:
            with suppress(BaseException):
                traceback.clear_frames(error.__traceback__)  # what they held is what the next lines need
        try:
            where = _place_of(error)
            text = cut("".join(traceback.format_exception(error)))
            cause = cut("".join(traceback.format_exception_only(error)).strip(), _LONGEST_CAUSE)
        except BaseException:  # noqa: BLE001 - whatever an exception of the user's does when it is looked at
            where, text, cause = "", "", f"an exception of type {type.__repr__(type(error))} that can't be shown"
        if short_of_memory:
            return cls(os.getpid(), OUT_OF_MEMORY, ", ".join(filter(None, (cause, where))), text)
        return cls(os.getpid(), cause, where, text, hopeless=hopeless)

    @classmethod
    def of_exit(cls, stop: SystemExit) -> Self:
        """Say where `sys.exit` was called."""
        with suppress(BaseException):
            return cls(os.getpid(), "", _place_of(stop), cut("".join(traceback.format_exception(stop))))
        return cls(os.getpid())

    def write(self, path: Path) -> None:
        """Leave the note at `path`: whole or not there at all. It gets shorter where there is no room for all of it."""
        draft = path.with_suffix(".note")
        for note in (self, replace(self, traceback="")):
            with suppress(OSError, MemoryError):
                write(draft, json.dumps(asdict(note)).encode())
                draft.replace(path)
                return

    @classmethod
    def take(cls, path: Path, pid: int) -> Self | None:
        """Return and remove the note of the life with `pid`; None when it has left none."""
        try:
            note = cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        path.unlink(missing_ok=True)
        return note if note.pid == pid else None


def _place_of(error: BaseException) -> str:
    """Say where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    return f"at {place(PurePath(frames[-1].filename).as_posix(), frames[-1].lineno or 0, frames[-1].name)}"
