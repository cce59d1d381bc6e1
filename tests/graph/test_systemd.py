"""`steady-mp systemd-unit`, as systemd reads it, and what a run tells the service manager."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode
from steady_mp.cli.main import main
from steady_mp.cli.notify import Notifier
from tests.support.hosts import Process
from tests.support.scrape import needed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

COMMAND = (sys.executable, "-c", "import sys; from steady_mp.cli.main import main; sys.exit(main())")
ODD = 'a %b $HOME "quoted" \\ 100% word'


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["systemd-unit", *words]) == ExitCode.DRAINED
    return capsys.readouterr().out


def settings(unit: str) -> dict[str, str]:
    rows = (line.partition("=") for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value for name, _, value in rows}


def unquoted(text: str) -> list[str]:
    """Read a command as systemd does: its quotes are those of C, and these two letters come twice."""
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(text)]


@pytest.mark.parametrize(
    "words",
    [(), ("--rate", "5", "--no-telemetry"), ("--durable", "kept", "--token", ODD), ("--unit-user", "daemon")],
    ids=["plain", "options", "durable", "user"],
)
def test_systemd_has_nothing_to_say(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    analyze = needed("systemd-analyze", "systemd")
    monkeypatch.chdir(tmp_path)
    unit = tmp_path / "steady-test.service"
    unit.write_text(printed(capsys, *words))
    told = subprocess.run(  # noqa: S603
        [analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=30
    )
    said = [line for line in told.stderr.splitlines() if "steady-test" in line]
    assert not said, told.stderr
    assert told.returncode == 0, told.stderr


def test_the_options_and_the_ends_are_those_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings(
        printed(capsys, "--rate", "5", "--no-telemetry", "--shutdown-timeout", "20", "--unit-watchdog", "7")
    )
    command = unquoted(found["ExecStart"])
    assert command[1:3] == ["run", "actors:build_graph"]
    assert os.access(command[0], os.X_OK)
    assert " ".join(command).count("--rate 5") == " ".join(command).count("--no-telemetry") == 1
    assert (found["Type"], found["KillMode"], found["KillSignal"]) == ("notify", "mixed", "SIGTERM")
    assert (found["WatchdogSec"], found["TimeoutStopSec"]) == ("7", "35")
    assert (found["Restart"], found["RestartPreventExitStatus"], found["SuccessExitStatus"]) == (
        "on-failure",
        "2 4 5",
        "130",
    )
    assert found["WorkingDirectory"] == str(tmp_path)
    assert "User" not in found
    assert "WatchdogSec" not in settings(printed(capsys, "--unit-watchdog", "0"))


def test_a_durable_one_begins_or_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings(
        printed(capsys, "--durable", "kept", "--token", ODD, "--beats", "2", "--rate", "50", "--port", "0")
    )
    assert found["KillSignal"] == found["RestartForceExitStatus"] == "SIGKILL"
    shell = unquoted(found["ExecStart"])
    assert shell[:2] == ["/bin/sh", "-c"]
    # What the unit says is what runs: at first it begins, then it goes on with what is in the folder.
    folder = tmp_path / "kept"
    for words in (f"--durable {folder}", f"--resume {folder}"):
        stub = tmp_path / "stub"
        stub.write_text('#!/bin/sh\nfor word in "$@"; do echo "[$word]"; done\n')
        stub.chmod(0o755)
        program = unquoted(settings(printed(capsys))["ExecStart"])[0]
        script = shell[2].replace(f"exec {program}", f"exec {stub}")
        told = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
        ran = [line[1:-1] for line in told.stdout.splitlines()]
        assert ran[-2:] == words.split()
        assert ran[ran.index("--token") + 1] == ODD
        folder.mkdir(exist_ok=True)
        (folder / "durable").touch()


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("--resume", "kept"), "give --durable DIR instead"),
        (("--durable", "kept", "--fresh"), "begin anew by hand"),
        (("--shutdown-timeout", "soon"), "--shutdown-timeout"),
        (("--unit-watchdog", "-1"), "--unit-watchdog"),
        (("--unit-watchdog", "1e30"), "--unit-watchdog: must be less than or equal to 86400"),
        (("--unit-user", "a b"), "--unit-user: string should match pattern"),
        (("--unit-user", "x\nExecStartPre=/bin/evil"), "--unit-user: string should match pattern"),
        (("no.such.module:graph",), "there is no module no"),
    ],
    ids=["resume", "fresh", "run", "unit", "long", "words", "lines", "target"],
)
def test_what_it_refuses(words: tuple[str, ...], mend: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["systemd-unit", *words]) == ExitCode.BAD_CONFIGURATION
    told = capsys.readouterr()
    assert mend in told.err
    assert told.err.count("\n") == 1
    assert not told.out


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Listen as systemd does, and give the address for NOTIFY_SOCKET."""
    if request.param == "abstract" and sys.platform != "linux":
        pytest.skip("abstract names are Linux's")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        address = str(tmp_path / "notify") if request.param == "path" else f"@steady-mp-test-{os.getpid()}"
        listening.bind("\0" + address[1:] if address.startswith("@") else address)
        listening.settimeout(20)
        yield listening, address


def heard(listening: socket.socket, field: str) -> dict[str, str]:
    """Wait for a message with `field`; return all of its fields."""
    while True:
        rows = (line.partition("=") for line in listening.recv(1 << 16).decode().splitlines())
        fields = {name: value for name, _, value in rows}
        if field in fields:
            return fields


def test_a_run_tells_when_it_is_ready_alive_and_stopping(
    manager: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listening, address = manager
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    with Process(*COMMAND, "run", "--beats", "1000000", "--rate", "50", "--no-telemetry") as process:
        assert heard(listening, "READY") == {"READY": "1", "STATUS": "4 actors run"}
        for _ in range(3):
            heard(listening, "WATCHDOG")
        process.send(signal.SIGTERM)
        stopping = heard(listening, "STOPPING")
        assert "SIGTERM received" in stopping["STATUS"]
        assert heard(listening, "STOPPING")["STATUS"].startswith("drained after")
        assert process.wait() == ExitCode.DRAINED


def test_a_supervisor_that_stands_still_pets_no_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "150000")
        with Process(*COMMAND, "run", "--beats", "1000000", "--rate", "50", "--no-telemetry") as process:
            heard(listening, "WATCHDOG")
            process.send(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
            listening.settimeout(0.5)
            with pytest.raises(TimeoutError):
                heard(listening, "what nobody says")  # what was on its way, and then nothing
            process.send(signal.SIGCONT)
            listening.settimeout(20)
            heard(listening, "WATCHDOG")
            process.send(signal.SIGTERM)
            assert process.wait() == ExitCode.DRAINED


def test_without_a_manager_nobody_is_told() -> None:
    assert Notifier.of({}) is None
    assert Notifier.of({"NOTIFY_SOCKET": "vsock:2:1"}) is None
    for environ, every in (
        ({"WATCHDOG_USEC": "3000000"}, 1.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ):
        notifier = Notifier.of({"NOTIFY_SOCKET": "/no/such/socket", **environ})
        assert notifier is not None
        assert notifier.every == every
        notifier.pet()  # into the void
        notifier.close()


@pytest.mark.parametrize("words", [("--sync",), ("--fresh",)])
def test_options_that_do_nothing_are_refused_as_the_run_refuses_them(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for command in ("run", "systemd-unit"):
        assert main([command, *words]) == ExitCode.BAD_CONFIGURATION
        told.append(capsys.readouterr().err.partition(words[0])[2])
    assert told[0] == told[1]
    assert "--durable DIR" in told[0]
