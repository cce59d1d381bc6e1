"""What `steady-mp run --resume DIR` has to know of the command that began the run: it is kept in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steady_mp.errors import ConfigurationError
from steady_mp.memory import disk

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILE: Final = "command.json"
_OPTIONS: Final = ("--durable", "--resume", "--fresh-state")
#: The folder itself says whether it is synced.
_FLAGS: Final = ("--fresh", "--no-fresh", "--sync", "--no-sync")


def complete(words: Sequence[str]) -> list[str]:
    """Put the words of the command that began a run before those that resume it, which then have the last say.

    Raises ConfigurationError for a folder whose command can't be read.
    """
    folder = _value(words, "--resume")
    if folder is None or not (Path(folder) / _FILE).exists():
        return list(words)
    try:
        before = json.loads((Path(folder) / _FILE).read_text())["words"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{Path(folder) / _FILE} can't be read: {error}; name the target and its options"
        ) from None
    return [*map(str, before), *words]


def note(words: Sequence[str], folder: Path) -> None:
    """Keep the words of the command that has begun a durable run; complete or not there at all."""
    disk.replace(folder / _FILE, json.dumps({"words": _without(words)}).encode())


def _value(words: Sequence[str], option: str) -> str | None:
    """Return the value of an option among words that nobody has parsed yet."""
    for index, word in enumerate(words):
        if word == option and index + 1 < len(words):
            return words[index + 1]
        if word.startswith(option + "="):
            return word.partition("=")[2]
    return None


def _without(words: Sequence[str]) -> list[str]:
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in _OPTIONS:
            skip = True
        elif word not in _FLAGS and not word.startswith(tuple(f"{option}=" for option in _OPTIONS)):
            kept.append(word)
    return kept
