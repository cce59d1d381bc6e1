"""`steady-mp dump`: one archive for a bug report, of a run that works, stands still, or is dead.

Everything comes from the run directory, and from the actors' own answers where they live. What the messages and states
contain stays out unless it is asked for; what an actor says about itself (a reason to refuse, a cause of death, a line
of its log) is in.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
import tarfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from steady_mp.cli import facts
from steady_mp.cli.ps import deadlocks_of
from steady_mp.cli.runs import Found, Opened, find_run
from steady_mp.cli.stack import gather, lines_of
from steady_mp.cli.view import show, show_json, visible
from steady_mp.cli.whole_file import whole
from steady_mp.errors import ConfigurationError, ExitCode, SteadyError
from steady_mp.memory import layout
from steady_mp.memory.rundir import RunDir
from steady_mp.memory.standing import halt_of
from steady_mp.memory.status import UNREADABLE, read_events
from steady_mp.plan import LOG_NOTE, PLAN_FILE
from steady_mp.whereabouts import Seen, Shared, describe_channel, describe_phase, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Bytes of a text that are kept, from its end.
_MOST: Final = 1 << 20
_LATEST: Final = 20
_FORMS: Final = (".tar.gz", ".tgz", ".zip")
#: Files of a run directory that hold what messages, states and arguments contain.
_PAYLOADS: Final = re.compile(r"channel-\d+|actor-\d+\.(snapshot-\d|args)|main|.*letter.*", re.IGNORECASE)
_REPORTS: Final = re.compile(r"actor-\d+\.died-\d+(\.new)?")
_CONTROLS: Final = re.compile(r"actor-\d+\.control|run")
_SECRETS: Final = re.compile(r"(?i)token|password|secret|key")
_HIDDEN: Final = "(left out)"


def dump(which: str | None, *, output: Path | None, payloads: bool, timeout: float, as_json: bool) -> int:
    """Write the archive; gives the exit status. Raises SteadyError when it can't be written.

    Blocks for `timeout` seconds at most for each actor that does not say where it is in its code.
    """
    directory = find_run(which, dead=True)
    with Opened(directory) as run:
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", run.plan.graph)
        name = f"steady-mp-{slug}-{time.strftime('%Y%m%d-%H%M%S')}"
        output = Path(f"{name}.tar.gz") if output is None else output
        if not output.name.endswith(_FORMS):
            raise ConfigurationError(f"-o {output}: the name says the form, so let it end in {', '.join(_FORMS)}")
        parts = collect(run, payloads=payloads, timeout=timeout)
    try:
        _write(output, name, parts)
    except OSError as error:
        raise SteadyError(f"{output} can't be written: {error.strerror}") from None
    if as_json:
        show_json({"file": str(output.absolute()), "graph": run.plan.graph, "parts": sorted(parts)})
    else:
        show(
            *map(visible, parts["summary.txt"].decode().splitlines()),
            "",
            f"{output}: {len(parts)} files; summary.txt is above",
        )
    return ExitCode.DRAINED


def collect(run: Opened, *, payloads: bool, timeout: float) -> dict[str, bytes]:
    """Return all parts by their names; what could not be read says why in its place."""
    found = Found(run.directory, run.status)
    parts: dict[str, bytes] = {}

    def part(name: str, make: Callable[[], str]) -> None:
        try:
            text = make()
        except (*UNREADABLE, SteadyError) as error:
            text = f"could not be read: {type(error).__name__}: {error}\n"
        parts[name] = text.encode(errors="replace")

    # First what moves, then what takes its time.
    part("summary.txt", lambda: _summary(run, found))
    part("positions.txt", lambda: _positions(run, found))
    part("words.json", lambda: json.dumps(_words(run), indent=1))
    part("limits.txt", lambda: facts.limits(run.status.pid if found.is_alive else os.getpid(), run.directory))
    part("versions.txt", lambda: f"the run was started by steady-mp {run.status.version}\n{facts.versions()}")
    part("stacks.txt", lambda: _stacks(run, found, timeout))
    part("log-tail.txt", lambda: _log_tail(run))
    for name, data in _files(run.directory, payloads=payloads):
        parts[f"run/{name}"] = data
    return parts


def _write(output: Path, name: str, parts: dict[str, bytes]) -> None:
    """Write the archive at once or not at all, for its owner only."""
    with whole(output, 0o600) as file:
        if output.suffix == ".zip":
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
                for each, data in parts.items():
                    zipped.writestr(f"{name}/{each}", data)
        else:
            with tarfile.open(fileobj=file, mode="w:gz") as tarred:
                for each, data in parts.items():
                    member = tarfile.TarInfo(f"{name}/{each}")
                    member.size, member.mtime, member.mode = len(data), int(time.time()), 0o600
                    tarred.addfile(member, io.BytesIO(data))


# Its parts


def _shared(run: Opened) -> Shared:
    plan = run.plan
    controls = [run.control(index) for index in range(len(plan.actors))]
    return Shared(plan, controls, [run.store(index).words for index in range(len(plan.channels))])


def _seen(run: Opened, found: Found) -> list[Seen]:
    seen = []
    for index, status in enumerate(run.status.actors):
        stopped = False
        if found.is_alive and not run.status.owner.is_foreign and (process := run.process(index)) is not None:
            stopped = halt_of(process.pid).stopped
        seen.append(Seen(status=status.status, is_stopped=stopped, is_dead=not found.is_alive))
    return seen


def _summary(run: Opened, found: Found) -> str:
    """Explain in words how the run stands: what stands still, and why."""
    status = run.status
    now = time.monotonic() if found.is_alive else None
    lines = [f"graph {status.graph}, {run.directory}", _how(run, found), ""]
    lines += explain(_shared(run), _seen(run, found), now)
    if found.is_alive and not any(line.startswith("DEADLOCK") for line in lines):
        lines += [f"DEADLOCK (seen at a second look): {way}." for way in deadlocks_of(run.directory)]
    for actor in status.actors:
        deaths = ", ".join(f"{cause} x{count}" for cause, count in actor.deaths.items())
        if deaths:
            lines += ["", f"{actor.name} is in life {actor.generation}; it has died of {deaths}"]
    if status.refused:
        lines += ["", "did not stop in time:", *(f"  {each}" for each in status.refused)]
    lines += ["", "latest events:"]
    for event in read_events(run.directory, _LATEST):
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.get("time", 0)))
        lines.append(f"  {moment} {event.get('level', '')}: {event.get('text', '')}")
    return "\n".join(lines) + "\n"


def _how(run: Opened, found: Found) -> str:
    status = run.status
    if found.is_alive:
        halted = ", which is stopped (SIGSTOP), so nobody is restarted" if found.is_halted else ""
        return f"{status.phase}; its supervisor is process {status.pid}{halted}"
    durable = RunDir(run.directory).has_begun
    onward = f"`steady-mp run --resume {run.directory}` goes on with it" if durable else "`steady-mp clean` removes it"
    if status.phase == "stopped":
        return f"stopped; the events below say how; {onward}"
    return (
        f"DEAD: its supervisor (process {status.pid}) is gone and has not said why, although the graph was "
        f"{status.phase}: killed from outside (SIGKILL, out of memory), or the machine went down. Its actors ended "
        f"with it; {onward}. What follows is how they stood then."
    )


def _positions(run: Opened, found: Found) -> str:
    shared = _shared(run)
    now = time.monotonic() if found.is_alive else None
    lines = []
    for index, (control, status) in enumerate(zip(shared.controls, run.status.actors, strict=True)):
        parts = [status.status, f"life {status.generation}", f"process {status.pid}", f"commit {control.epoch}"]
        lines.append(f"{status.name}: {', '.join(parts)}, {describe_phase(shared, index, now)}")
    lines += [f"{each.name}: {describe_channel(shared, index)}" for index, each in enumerate(shared.plan.channels)]
    return "\n".join(lines) + "\n"


def _words(run: Opened) -> dict[str, Any]:
    """Return every word of the control blocks and of the channels' headers by its name."""
    shared = _shared(run)
    names = [name for name, value in vars(layout).items() if isinstance(value, int) and name.isupper()]
    of_actor = names[names.index("EPOCH") : names.index("REFUSAL")]
    of_channel = names[names.index("CH_CAPACITY") : names.index("RING_START")]
    return {
        "actors": {
            plan.name: {
                **{name: control.words[getattr(layout, name)] for name in of_actor},
                "refusal": control.refusal,
                "journal": control.journal()._asdict(),
            }
            for plan, control in zip(run.plan.actors, shared.controls, strict=True)
        },
        "channels": {
            plan.name: {name: words[getattr(layout, name)] for name in of_channel}
            for plan, words in zip(run.plan.channels, shared.channels, strict=True)
        },
    }


def _stacks(run: Opened, found: Found, timeout: float) -> str:
    if not found.is_alive:
        return "none: its processes are gone\n"
    return (
        "\n".join(line for each in gather(run, range(len(run.plan.actors)), timeout) for line in lines_of(each)) + "\n"
    )


def _log_tail(run: Opened) -> str:
    """Return the end of the log file that the run writes, if it writes one."""
    note = run.directory / LOG_NOTE
    path = os.fsdecode(note.read_bytes()) if note.exists() else ""
    if not path:
        return "the run has no log file (--log-file); its latest events are in run/events.jsonl\n"
    return f"the end of {path}:\n{_tail(Path(path)).decode(errors='replace')}"


def _files(directory: Path, *, payloads: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the run directory: what is text, the control blocks, and, if wanted, everything else."""
    for entry in sorted(directory.rglob("*")):
        name = str(entry.relative_to(directory))
        try:
            if not stat.S_ISREG(entry.lstat().st_mode):
                continue
            if any(_PAYLOADS.fullmatch(step) for step in entry.relative_to(directory).parts):
                if payloads:
                    yield name, entry.read_bytes()
            elif _CONTROLS.fullmatch(name):
                yield name, entry.read_bytes()
            elif _REPORTS.fullmatch(name) and not payloads:
                yield name, _without_value(entry.read_bytes())
            elif _is_text(data := _tail(entry)):
                yield name, _without_secrets(data) if name != PLAN_FILE else data
            elif payloads:
                yield name, entry.read_bytes()
        except OSError as error:  # the run goes on, and so a file may go
            yield name, f"could not be read: {error.strerror}\n".encode()


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _MOST))
        return file.read()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.end >= len(data) - 4 and b"\0" not in data  # cut in the middle of a letter
    return b"\0" not in data


def _without_secrets(data: bytes) -> bytes:
    """Hide the values of options whose names say that they are secret, in the words of a command that was kept."""
    try:
        told = json.loads(data)
        words = told["words"]
        for index, word in enumerate(words):
            name, equals, _ = word.partition("=")
            if not word.startswith("--") or not _SECRETS.search(name):
                continue
            if equals:
                words[index] = f"{name}={_HIDDEN}"
            elif index + 1 < len(words):
                words[index + 1] = _HIDDEN
    except (ValueError, TypeError, LookupError, AttributeError):
        return data
    return json.dumps(told).encode()


def _without_value(data: bytes) -> bytes:
    """Hide the message that an actor had in hand when it died; which one that was stays."""
    try:
        told = json.loads(data)
        if told["in_hand"] is not None and told["in_hand"].get("value") is not None:
            told["in_hand"]["value"] = _HIDDEN
    except (ValueError, TypeError, LookupError, AttributeError):
        return b""
    return json.dumps(told).encode()
