"""What is refused where a graph is declared: one line that names the thing and the mend."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final, Literal

from steady_mp.amounts import is_number
from steady_mp.channel.kinds import can_put_aside
from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from steady_mp.channel.kinds import Shape

_NAME_LENGTH: Final = 64
#: Characters that no text may have which is handed to the system, or written.
_NOWHERE: Final = frozenset(map(chr, (0, *range(0xD800, 0xE000))))
Showstopper = Literal["dead_letter", "stop", "skip"]
SHOWSTOPPERS: Final[tuple[Showstopper, ...]] = ("dead_letter", "stop", "skip")


def check_timeout(seconds: object) -> float:
    """Return the time-out of a shutdown. Raises ConfigurationError."""
    if not is_number(seconds) or seconds < 0:
        message = f"shutdown_timeout {seconds!r}: must be a number of seconds, 0 or more"
        raise ConfigurationError(message)
    return float(seconds)


def check_pace(what: str, seconds: object, least: float, most: float) -> float:
    """Return a number of seconds in these bounds. Raises ConfigurationError."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not least <= seconds <= most:
        message = f"{what} {seconds!r}: must be a number of seconds from {least:g} to {most:g}"
        raise ConfigurationError(message)
    return float(seconds)


def check_name(what: str, name: object) -> None:
    """Raise ConfigurationError unless `name` can be one."""
    if not isinstance(name, str) or not name.strip():
        message = f"{what} name {name!r}: give it a name that is not empty"
        raise ConfigurationError(message)
    if len(name) > _NAME_LENGTH:
        message = f"{what} name {name[:20]!r}… has {len(name)} characters: at most {_NAME_LENGTH} are allowed"
        raise ConfigurationError(message)
    if not _NOWHERE.isdisjoint(name):  # an actor would die of its name before it could say a word
        message = f"{what} name {name!r} has a NUL or half of a surrogate pair in it, which the system takes nowhere"
        raise ConfigurationError(message)


def check_showstopper(label: str, wanted: Showstopper | None, shape: Shape) -> Showstopper:
    """Return what follows a showstopper on a channel of this shape. Raises ConfigurationError."""
    possible: tuple[Showstopper, ...] = SHOWSTOPPERS if can_put_aside(shape) else ("stop",)
    if wanted is None:
        return possible[0]
    if wanted not in possible:
        why = "" if can_put_aside(shape) else ", for a message of a lane can't be put aside"
        message = f"{label}: showstopper {wanted!r} must be {' or '.join(possible)}{why}"
        raise ConfigurationError(message)
    return wanted


def check_count(what: str, value: object, least: int, most: int) -> None:
    """Raise ConfigurationError unless `value` is a whole number in these bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        message = f"{what} {value!r}: must be a whole number from {least} to {most}"
        raise ConfigurationError(message)


def check_kinds(what: str, **options: tuple[object, type]) -> None:
    """Raise ConfigurationError unless each option is None or of its class: both are given by the option's name."""
    for name, (value, kind) in options.items():
        if value is not None and not isinstance(value, kind):
            raise ConfigurationError(f"{what}: {name} {value!r}: give it {kind.__name__}(…)")


def check_callable(what: str, call: object) -> None:
    """Raise ConfigurationError unless `call` can be called."""
    if not callable(call):
        raise ConfigurationError(f"{what} {call!r}: give it a function")


def check_signal(number: object) -> None:
    """Raise ConfigurationError unless `number` is that of a signal which this system has."""
    if not isinstance(number, int) or number not in signal.valid_signals():
        message = f"signal {number!r}: there is none of that number; signal.SIGTERM and its like are"
        raise ConfigurationError(message)
