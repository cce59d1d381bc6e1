"""The exit statuses of a run's processes, told apart from what a behavior would use. The note beside them says more."""

from __future__ import annotations

from typing import Final

#: An exception that a behavior has let escape, as Python has it.
FAILED: Final = 1
#: The supervisor is gone; nobody is left to read it.
ORPHANED: Final = 120
#: The life repeats what it had put off.
REPLAY: Final = 121
#: The life has come to one of its limits.
RECYCLED: Final = 124
