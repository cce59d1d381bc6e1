"""What `steady-mp run --resume DIR` has to know of the command that began the run: it is kept in its folder."""

from __future__ import annotations

import json
import shlex
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steady_mp.cli.options import RUN, target_among
from steady_mp.cli.runs import is_there
from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from steady_mp.config import RunSettings

_FILE: Final = "command.json"
#: Those about the folder; and what readers have to know is for nobody who reads the folder, or a copy of it.
_OPTIONS: Final = ("--durable", "--resume", "--fresh-state", "--token")
#: The folder itself says whether it is synced.
_FLAGS: Final = ("--fresh", "--no-fresh", "--sync", "--no-sync")


def complete(words: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Put the words of the command that began a run before those that resume it, which then have the last say.

    Raises ConfigurationError for a folder whose command can't be read.
    """
    folder = _value(words, RUN["resume"].option)
    if folder is None and _value(words, RUN["durable"].option) is None:
        folder = environ.get(RUN["resume"].env)
    if not folder or not is_there(Path(folder) / _FILE):
        return list(words)
    try:
        before = json.loads((Path(folder) / _FILE).read_text())["words"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{Path(folder) / _FILE} can't be read: {error}; name the target and its options"
        ) from None
    return [*_without_target(list(map(str, before)), words), *words]


@contextmanager
def owning_up(words: Sequence[str], completed: Sequence[str]) -> Iterator[None]:
    """Say where a word comes from that is refused and that nobody has typed now."""
    try:
        yield
    except ConfigurationError as error:
        before = completed[: len(completed) - len(words)]
        if not any(word in str(error) for word in before if word.startswith("--") and word not in words):
            raise
        message = f"{error}; the command that began the run had {shlex.join(before)}: resume it with its own target"
        raise ConfigurationError(message) from None


def note(words: Sequence[str]) -> dict[str, bytes]:
    """Return the file in which the words of the command that begins a durable run are kept."""
    had_token = {} if _value(words, RUN["token"].option) is None else {"token": True}
    return {_FILE: json.dumps({"words": _without(words), **had_token}).encode()}


def refuse_without_token(settings: RunSettings) -> None:
    """Raise ConfigurationError where a run that began with a token would be shown without one when it is resumed."""
    if settings.resume is None or not settings.telemetry or settings.token is not None:
        return
    with suppress(OSError, ValueError, TypeError):
        if "token" in json.loads((settings.resume / _FILE).read_text()):
            raise ConfigurationError(
                f"the run in {settings.resume} began with a token, which is not kept: give it again, by --token or "
                "STEADY_MP_TOKEN, or do without telemetry (--no-telemetry)"
            )


def _without_target(before: list[str], words: Sequence[str]) -> list[str]:
    """Drop the target from the words of the first command where the new ones name one."""
    if target_among(words)[0] is not None:
        sure, spare = target_among(before)
        was = spare if sure is None else sure
        if was is not None:
            del before[was]
    return before


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
