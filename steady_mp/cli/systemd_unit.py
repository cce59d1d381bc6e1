"""`steady-mp systemd-unit`: print the unit that runs a target as a service."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steady_mp.cli.options import RUN, find_target, parse, settings_for
from steady_mp.cli.run import merge_run
from steady_mp.cli.target import load_target
from steady_mp.cli.view import show_text
from steady_mp.config import merge, settings_of
from steady_mp.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.config import RunSettings, Setting


@dataclass(frozen=True, kw_only=True)
class UnitSettings:
    """What `steady-mp systemd-unit` takes beside what `steady-mp run` takes."""

    unit_user: str | None = field(
        default=None, metadata={"help": "The user to run it as.", "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"}
    )
    unit_watchdog: float = field(
        default=30.0,
        metadata={
            "help": "Seconds after which a supervisor that stands still is killed; 0 for never.",
            "ge": 0,
            "le": 86_400,
        },
    )


UNIT: Final = settings_of(UnitSettings, "unit")
_PURPOSE: Final = "Print the systemd unit that does what `steady-mp run` with the same words does."
#: Seconds beyond the shutdown's own until systemd kills.
_GRACE: Final = 15
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def systemd_unit(words: Sequence[str]) -> int:
    """Do what stands after `steady-mp systemd-unit`; gives the exit status. The environment counts for nothing."""
    every = {**RUN, **UNIT}
    target = load_target(find_target(words, every))
    settings = settings_for(target)
    command_line = parse(words, target, settings, common=every, command="systemd-unit", purpose=_PURPOSE)
    if command_line is None:
        return ExitCode.DRAINED
    file = command_line.read_file(run=RUN, args=settings)
    values = command_line.values
    # What the run would refuse is refused here, where somebody reads it.
    of_run = merge_run(values, {}, file)
    of_unit = merge(UnitSettings, UNIT, options=values, environ={})
    if target.args is not None:
        merge(target.args, settings, options=values, environ={}, file=file)
    if of_run.resume:
        raise ConfigurationError("--resume: give --durable DIR instead; the unit goes on with what it finds there")
    if of_run.fresh:
        raise ConfigurationError(
            "--fresh: a unit goes on with the run that it finds, with each start; begin anew by hand"
        )
    options = ["--config", str(command_line.config.absolute())] if command_line.config else []
    for name, value in values.items():
        if name not in UNIT and name != "durable":
            options += _option({**RUN, **settings}[name], value)
    show_text(_unit(str(target), options, of_run, of_unit))
    return ExitCode.DRAINED


def _option(setting: Setting, value: str) -> list[str]:
    if setting.is_flag:
        return [setting.option if value == "True" else f"--no-{setting.option[2:]}"]
    return [f"{setting.option}={value}"] if value.startswith("-") else [setting.option, value]


def _unit(target: str, options: list[str], run: RunSettings, unit: UnitSettings) -> str:
    durable = run.durable.absolute() if run.durable else None
    command = [_program(), "run", target, *options]
    if durable:
        # It begins with the first start, and goes on with every other one: also after a reboot, and after a kill.
        onward = shlex.join([_program(), "run", *options, "--resume", str(durable)])
        begin = shlex.join([*command, "--durable", str(durable)])
        marker = shlex.quote(str(durable / "durable"))
        command = ["/bin/sh", "-c", f"if test -e {marker}; then exec {onward}; else exec {begin}; fi"]
    # What is stopped goes on with the next start, so it must not be drained to its end; being killed is no harm to it.
    ending = (
        ["KillSignal=SIGKILL", "SuccessExitStatus=130 SIGKILL", "RestartForceExitStatus=SIGKILL"]
        if durable
        else ["KillSignal=SIGTERM", "SuccessExitStatus=130"]
    )
    lines = [
        f"# Printed by: steady-mp systemd-unit {' '.join(target.split())}",
        "[Unit]",
        f"Description=steady-mp {_escaped(target)}",
        "After=network.target",
        "",
        "[Service]",
        "Type=notify",
        # The shell that begins or resumes has become the run by then.
        "NotifyAccess=main",
        f"WorkingDirectory={_escaped(str(Path.cwd()))}",
        *([f"User={_escaped(unit.unit_user)}"] if unit.unit_user else []),
        f"ExecStart={' '.join(_quoted(word) for word in command)}",
        *([f"WatchdogSec={_seconds(unit.unit_watchdog)}"] if unit.unit_watchdog else []),
        "# TERM to the supervisor alone: it drains. What is left after that is killed.",
        "KillMode=mixed",
        *ending,
        f"TimeoutStopSec={_seconds(run.shutdown_timeout + _GRACE)}",
        "# docs/exit-codes.md: 2, 4 and 5 need a person, 0 and 130 were meant, all others want another try.",
        "Restart=on-failure",
        "RestartPreventExitStatus=2 4 5",
        "RestartSec=1",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _program() -> str:
    """Return where this very program is: beside its interpreter, or on the path."""
    beside = Path(sys.executable).with_name("steady-mp")
    found = str(beside) if beside.exists() else shutil.which("steady-mp")
    if found is None:
        raise ConfigurationError(
            f"the program steady-mp is not beside {sys.executable} nor on the PATH: install it there"
        )
    return str(Path(found).absolute())


def _seconds(seconds: float) -> str:
    """Write a number of seconds so that systemd reads it: it knows no exponent."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _escaped(text: str) -> str:
    """Write a setting's value so that systemd reads it as it is: `%` begins a specifier."""
    return " ".join(text.splitlines()).replace("%", "%%")


def _quoted(word: str) -> str:
    """Write a word of a command so that systemd reads it as it is: neither specifier, nor variable, nor two words."""
    text = word.replace("%", "%%").replace("$", "$$")
    if _PLAIN.fullmatch(text):
        return text
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in text) + '"'
