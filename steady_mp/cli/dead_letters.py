"""`steady-mp dead-letters`: what was put aside of a run, alive, dead, or gone but for its letters."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from steady_mp.channel.decoding import unwrap
from steady_mp.cli.errand import ask
from steady_mp.cli.runs import NoSuchRun, Opened, find_run, is_there, open_status
from steady_mp.cli.view import printable, show, show_json, table
from steady_mp.cli.whole_file import put
from steady_mp.errors import ConfigurationError, ExitCode, SteadyError
from steady_mp.memory.letters import Letters, letters_root, orders_done
from steady_mp.memory.status import UNREADABLE, read_status
from steady_mp.plan import PLAN_FILE, EndPlan, Plan, actor_file
from steady_mp.standin import bounded, unpickle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steady_mp.memory.letters import Letter

#: Characters that `show` has of a message.
_LONGEST: Final = 2000
#: Index of a channel, and a position in it.
_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """The letters of one run, and where they lie."""

    directory: Path
    graph: str
    letters: list[Letter]
    is_alive: bool
    #: Channel and position of those that are on their way back.
    ordered: frozenset[_Place]

    def find(self, name: str) -> Letter:
        """Return the letter called CHANNEL@POSITION. Raises ConfigurationError, naming those that there are."""
        found = {name_of(letter): letter for letter in self.letters}
        for spelling in (name, name.replace("->", "→")):
            if spelling in found:
                return found[spelling]
        names = ", ".join(found) or "none"
        raise ConfigurationError(f"no dead letter {name!r} in graph {self.graph!r}: there is {names}")


def name_of(letter: Letter) -> str:
    """Return what a letter is called on the command line."""
    return f"{letter.channel}@{letter.position}"


def open_box(which: str | None) -> Box:
    """Find the letters that are meant: of the run `which`, else of the only one, else of the only one that is gone."""
    if which is None or not is_there(Path(which) / PLAN_FILE):
        try:
            directory = find_run(which, dead=True)
        except NoSuchRun as error:  # of several that there are none is chosen for the asker
            directory = _kept(which, error)
    else:
        directory = Path(which)
    found = open_status(directory)
    letters = Letters(directory)
    try:
        plan = Plan.from_json((directory / PLAN_FILE).read_text())
        ordered, delivered = _orders(directory, plan, letters)
    except UNREADABLE as error:
        raise ConfigurationError(f"{directory} can't be read as a run: {error}") from None
    is_alive = found.is_alive and directory.parent != letters_root()
    left = [letter for letter in letters.all() if (letter.index, letter.position) not in delivered]
    return Box(directory, found.status.graph, left, is_alive, ordered)


def _orders(directory: Path, plan: Plan, letters: Letters) -> tuple[frozenset[_Place], frozenset[_Place]]:
    """Return the letters that are on their way back, and those that their receiver has committed to have taken."""
    ordered: set[_Place] = set()
    delivered: set[_Place] = set()
    for index, channel in enumerate(plan.channels):
        orders = letters.orders(index)
        if not orders or not (directory / actor_file(channel.consumer, "control")).exists():
            continue
        ends = plan.actors[channel.consumer].ends
        with Opened(directory) as run:
            cursor = run.control(channel.consumer).journal().cursors[ends.index(EndPlan(channel=index, sends=False))]
        done = orders_done(cursor.closed)
        delivered |= {(index, each) for each in orders[:done] if each is not None}
        ordered |= {(index, each) for each in orders[done:] if each is not None}
    return frozenset(ordered), frozenset(delivered)


def _kept(which: str | None, error: ConfigurationError) -> Path:
    """Return what was kept of a run that is gone. Raises `error` where nothing was."""
    kept: list[tuple[Path, str]] = []
    with suppress(OSError):
        for entry in sorted(letters_root().iterdir()):
            with suppress(*UNREADABLE):
                kept.append((entry, read_status(entry).graph))
    meant = [entry for entry, graph in kept if which is None or which in {entry.name, graph}]
    if not meant:
        raise error
    if len(meant) > 1:
        names = ", ".join(map(str, meant))
        raise ConfigurationError(f"several runs left dead letters, name one of them with --run: {names}")
    return meant[0]


def facts_of(letter: Letter, box: Box) -> dict[str, Any]:
    """Return what a program wants to know of a letter, without the message."""
    return {
        "name": name_of(letter),
        "channel": letter.channel,
        "position": letter.position,
        "actor": letter.actor,
        "policy": letter.policy,
        "time": letter.time,
        "together": letter.together,
        "bytes": len(letter.message),
        "value": letter.shown,
        "ordered": (letter.index, letter.position) in box.ordered,
        "deaths": letter.deaths,
    }


def list_letters(which: str | None, *, as_json: bool) -> int:
    """Show all letters; gives the exit status."""
    box = open_box(which)
    if as_json:
        rows = [facts_of(letter, box) for letter in box.letters]
        show_json({"graph": box.graph, "directory": str(box.directory), "alive": box.is_alive, "letters": rows})
        return ExitCode.DRAINED
    if not box.letters:
        show(f"{printable(box.graph)} has no dead letters")
        return ExitCode.DRAINED
    names = ("letter", "actor", "put aside", "deaths", "cause", "message")
    made = table(*names, left=3, long=("cause", "message"))
    for letter in box.letters:
        cause = str(letter.deaths[-1]["cause"]).partition("\n")[0] if letter.deaths else "skipped by hand"
        dropped = " (dropped)" if letter.policy == "skip" else ""
        made.add_row(
            printable(name_of(letter)),
            printable(letter.actor),
            _when(letter.time),
            str(len(letter.deaths)),
            printable(cause),
            printable(letter.shown) + dropped,
        )
    show(made)
    return ExitCode.DRAINED


def show_letter(name: str, which: str | None, *, as_json: bool) -> int:
    """Show one letter: the message, and each death with it in hand."""
    box = open_box(which)
    letter = box.find(name)
    value = bounded(_value(letter), _LONGEST)
    if as_json:
        show_json({**facts_of(letter, box), "value": value})
        return ExitCode.DRAINED
    show(f"message {letter.position:,} of {printable(letter.channel)}, put aside {_when(letter.time)}", f"  {value}")
    if letter.policy == "skip":
        show("  it was dropped, as the channel's policy says")
    if letter.together > 1:
        show(f"  {letter.together} messages were put aside together, because they had been taken as one slice")
    for death in letter.deaths:
        show(f"  {printable(letter.actor)} died in life {death['generation']}, {_when(death['time'])}:")
        show(*[f"    {printable(line)}" for line in str(death["cause"]).splitlines()])
        show(*[f"    {printable(line)}" for line in str(death.get("traceback") or "").splitlines()])
    return ExitCode.DRAINED


def replay(names: list[str], which: str | None, *, everything: bool, as_json: bool) -> int:
    """Give letters back to their receivers; gives the exit status. Raises SteadyError where that can't be."""
    box = open_box(which)
    if everything == bool(names):
        raise ConfigurationError("name the letters to replay, as `steady-mp dead-letters list` does, or give --all")
    meant = [box.find(name) for name in names] or [letter for letter in box.letters if letter.policy != "skip"]
    chosen = list({(letter.index, letter.position): letter for letter in meant}.values())  # who is named twice, once
    if not chosen:
        raise SteadyError(f"{box.graph} has no dead letters")
    if not box.is_alive:
        raise SteadyError(
            f"{box.graph} is not running, so nobody would take them: resume it first (steady-mp run --resume), or "
            "write them to a file (steady-mp dead-letters export FILE)"
        )
    channels: dict[int, list[int]] = {}
    for letter in chosen:
        channels.setdefault(letter.index, []).append(letter.position)
    told = [ask(box.directory, "replay", channel=index, positions=each) for index, each in channels.items()]
    if as_json:
        show_json({"replayed": [name_of(letter) for letter in chosen], "result": told})
    else:
        show(*map(printable, told))
    return ExitCode.DRAINED


def export(file: Path, which: str | None, *, as_json: bool) -> int:
    """Write all letters to a file, one JSON object a line, each with its message as a pickle in base64."""
    box = open_box(which)
    lines = [json.dumps({**facts_of(letter, box), **_pickled(letter)}) + "\n" for letter in box.letters]
    try:
        put("".join(lines), file, mode=0o600)
    except OSError as error:
        raise SteadyError(f"{file} can't be written: {error.strerror}") from None
    if as_json:
        show_json({"file": str(file), "letters": len(lines)})
    else:
        show(f"{len(lines)} dead letters of {printable(box.graph)} are in {file}")
    return ExitCode.DRAINED


def _pickled(letter: Letter) -> dict[str, Any]:
    """Return the message as `pickle.loads` takes it: the pickle, and the buffers that lie beside it."""
    data, buffers = unwrap(letter.message, _apart)
    return {"pickle": base64.b64encode(data).decode(), "buffers": [base64.b64encode(each).decode() for each in buffers]}


def _apart(
    data: bytes | memoryview, /, *, buffers: Iterable[bytes | bytearray] = ()
) -> tuple[bytes, list[bytes | bytearray]]:
    return bytes(data), list(buffers)


def _value(letter: Letter) -> object:
    if not letter.message:
        return "(its message was not kept)"
    try:
        return unwrap(letter.message, unpickle)
    except SteadyError as error:
        return error


def _when(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
