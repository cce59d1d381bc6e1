"""Telemetry of real runs: it tells the truth, it comes back, and the graph does not notice."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from steady_mp import (
    Alert,
    AlertColor,
    ConfigurationError,
    ExitCode,
    Filled,
    Graph,
    Report,
    Telemetry,
    Trigger,
    serving,
)
from steady_mp.cli.main import main
from steady_mp.events import ActorDied, AlertRaised, TelemetryDied, TelemetryStarted
from steady_mp.memory.rundir import sweep
from tests.support import pipeline
from tests.support.hosts import all_gone
from tests.support.scrape import get, hoard, linger, prometheus, state
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(90)

TOTAL = 20_000
KILLS = 3


def make(total: int = TOTAL, **channel: Any) -> Graph:
    """Source, middle and sink with a known workload, and somebody who keeps the graph alive."""
    graph = Graph("counted", log_level="warning", refresh=0.1, window=1.0)
    first_tx, first_rx = graph.channel(64, **channel)
    second_tx, second_rx = graph.channel(64)
    graph.actor("source", pipeline.source, first_tx, total, 8, graph.state())
    graph.actor("middle", pipeline.middle, first_rx, second_tx, 8, graph.state())
    graph.actor("sink", pipeline.sink, second_rx, 8, graph.state())
    graph.actor("linger", linger)
    return graph


def totals(report: Report) -> dict[tuple[str, ...], tuple[float, float]]:
    return {(c.from_actor, c.to_actor): (c.sent, c.taken) for c in report.channels}


def test_a_real_prometheus_knows_what_the_report_says(tmp_path: Path) -> None:
    watch = Watch()
    graph = make()
    graph.faults = {"middle": [{"point": "commit:epoch", "hit": 20, "generations": list(range(1, KILLS + 1))}]}
    with graph.start(on_event=watch, output=io.StringIO(), telemetry=Telemetry(port=0)) as run:
        assert run.url is not None
        watch.wait_for(TelemetryStarted)
        with prometheus(run.url.removeprefix("http://").rstrip("/"), tmp_path) as scraper:
            ways = [("source", "middle"), ("middle", "sink")]

            questions = (
                *("send_total", "take_total", "steady_channel_sent_messages_total"),
                "sum by (actor) (steady_actor_restarts_total)",
                'steady_actor_restarts_total{actor="middle"} > 0',
            )
            answers: list[dict[tuple[str, ...], float] | None] = []

            def has_all() -> bool:
                """All of it: behind a scrape that came too late nothing is known until the next one."""
                answers[:] = [scraper.query(question) for question in questions]
                return all(answers) and answers[1] == dict.fromkeys(ways, float(TOTAL))

            assert eventually(has_all, seconds=40), (answers, state(run.url))
            sent, taken, same, restarts, causes = answers
            state_says = {(c["from"], c["to"]): (c["sent"], c["taken"]) for c in state(run.url)["channels"]}
        run.request_shutdown()
        report = run.block_until_stopped(20)
    assert report.exit_code is ExitCode.DRAINED, report.why
    assert sent is not None
    assert taken is not None
    assert {way: (sent[way], taken[way]) for way in ways} == totals(report) == state_says
    assert same == {(start, "counted", goal): count for (start, goal), count in sent.items()}
    assert restarts == {(actor.name,): float(actor.restarts) for actor in report.actors}
    assert causes == {("middle", "SIGKILL", "counted"): float(KILLS)}
    sink = next(actor for actor in report.actors if actor.name == "sink")
    assert len(sink.state["seen"]) == TOTAL  # the independent count


def test_a_program_whose_standard_input_is_closed_is_served_as_well() -> None:
    """Descriptor 0 is the first that is free there, and a child's own standard input takes its place."""
    watch, stdin = Watch(), os.dup(0)
    os.close(0)
    try:
        with make().start(on_event=watch, output=io.StringIO(), telemetry=Telemetry(port=0)) as run:
            assert get(f"{watch.wait_for(TelemetryStarted).url}livez")[0] == 200
            run.request_shutdown()
            assert run.block_until_stopped(20).exit_code is ExitCode.DRAINED
    finally:
        os.dup2(stdin, 0)
        os.close(stdin)


def test_killed_telemetry_comes_back_and_the_graph_does_not_notice() -> None:
    watch, output = Watch(), io.StringIO()
    with make().start(on_event=watch, output=output, telemetry=Telemetry(port=0)) as run:
        url = watch.wait_for(TelemetryStarted).url
        names = ("source", "middle", "sink", "linger")
        assert eventually(lambda: state(url)["channels"][1]["taken"] == TOTAL, 40)
        assert eventually(lambda: [name for name in names if run.pid(name) is not None] == ["linger"], 40)
        pids, before = [run.pid(name) for name in names], state(url)
        for _ in range(2):
            pid = run.telemetry_pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert watch.wait_for(TelemetryDied).cause == "SIGKILL"
            assert watch.wait_for(TelemetryStarted).url == url
        after = state(url)
        assert after["run"]["telemetry_restarts"] == 2
        assert [run.pid(name) for name in names] == pids
        for figure in ("sent", "taken"):
            assert [c[figure] for c in after["channels"]] == [c[figure] for c in before["channels"]]
        assert [event["kind"] for event in after["events"]].count("TelemetryDied") == 2
        # One that is stopped keeps nobody waiting at the end.
        pid = run.telemetry_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        run.request_shutdown()
        assert run.block_until_stopped(20).exit_code is ExitCode.DRAINED
    assert not watch.all_of(ActorDied)
    assert not psutil.pid_exists(pid)


def test_broken_requests_do_not_stop_it() -> None:
    watch = Watch()
    with make(total=8).start(on_event=watch, output=io.StringIO(), telemetry=Telemetry(port=0)) as run:
        url = watch.wait_for(TelemetryStarted).url
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        broken = [
            b"",
            b"\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200),
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET /%ff%00%2e%2e/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        ]
        for request in broken:
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                answer = b""
                with contextlib.suppress(OSError):  # it may hang up on us in the middle
                    connection.sendall(request)
                    connection.shutdown(socket.SHUT_WR)
                    while data := connection.recv(65536):
                        answer += data
                assert b" 500 " not in answer.partition(b"\r\n")[0], request[:50]
                assert b"Traceback" not in answer
        pid = run.telemetry_pid
        assert state(url)["live"]
        assert get(f"{url}nowhere")[0] == 404
        assert run.telemetry_pid == pid
        assert not watch.all_of(TelemetryDied)


def test_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    watches = [Watch(), Watch()]
    assert serving.DEFAULT_PORT == 9900
    # 9900 itself may be taken, and freed, by any other test that runs beside this one.
    usual, _ = serving.listen(Telemetry(port=0))
    with usual:
        free = usual.getsockname()[1]
    monkeypatch.setattr(serving, "DEFAULT_PORT", free)
    with make(total=8).start(on_event=watches[0], output=io.StringIO(), telemetry=True) as run:
        first = watches[0].wait_for(TelemetryStarted)
        with make(total=8).start(on_event=watches[1], output=io.StringIO(), telemetry=True) as other:
            second = watches[1].wait_for(TelemetryStarted)
            assert second.url != first.url
            assert f"port {free} is in use" in second.text
            assert other.url == second.url
        port = int(first.url.rstrip("/").rpartition(":")[2])
        with pytest.raises(ConfigurationError, match=f"port {port} on 127.0.0.1 is in use") as refused:
            make(total=8).start(telemetry=Telemetry(port=port))
        assert "\n" not in str(refused.value)
        assert run.url == first.url
    assert run.url == first.url  # where it was, once it is over


def test_an_alert_is_an_event_a_log_line_and_a_figure() -> None:
    watch, output = Watch(), io.StringIO()
    graph = Graph("full", log_level="info", refresh=0.05, window=0.5)
    alerts = [Alert(Trigger.avg_above(Filled.percent(90)), AlertColor.RED)]
    tx, rx = graph.channel(8, alerts=alerts)
    graph.actor("source", pipeline.source, tx, 100, 8, graph.state())
    graph.actor("hoarder", hoard, rx)
    with graph.start(on_event=watch, output=output, telemetry=Telemetry(port=0)) as run:
        url = watch.wait_for(TelemetryStarted).url
        assert eventually(lambda: bool(watch.all_of(AlertRaised)))  # it may come before the server is up
        (raised,) = watch.all_of(AlertRaised)
        assert (raised.kind, raised.subject) == ("channel", "source→hoarder")
        assert (raised.color, raised.condition) == ("red", "filled avg above 90 %")
        found = state(url)
        assert found["channels"][0]["alert"] == found["alerts"][0]["colour"] == "red"
        assert found["summary"] == "source→hoarder is full: hoarder is slower than source"
        assert found["actors"][0]["blocked_on"] == "source→hoarder"
        assert b'steady_channel_alert{from="source",graph="full",to="hoarder"} 3.0' in get(f"{url}metrics")[1]
        assert b"color=red" in get(f"{url}graph.dot")[1]
        run.request_shutdown()
        assert run.block_until_stopped(20).exit_code is ExitCode.DRAINED
    assert f"dashboard: {url}" in output.getvalue()
    assert "WARNING: alert red: channel source→hoarder: filled avg above 90 %, now " in output.getvalue()


ORPHANING = """
import sys, time
from tests.graph.test_telemetry import make
from steady_mp import Telemetry
from steady_mp.events import TelemetryStarted
def tell(event):
    if isinstance(event, TelemetryStarted):
        print(run.telemetry_pid, event.url, flush=True)
if __name__ == "__main__":
    run = make(total=8).start(telemetry=Telemetry(port=0), on_event=tell, output=sys.stderr)
    run.block_until_stopped()
"""


def test_a_killed_supervisor_leaves_no_telemetry(run_root: Path) -> None:
    command = [sys.executable, "-c", ORPHANING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        assert process.stdout is not None
        pid, _, url = process.stdout.readline().decode().strip().partition(" ")
        assert state(url)["live"]
        telemetry = psutil.Process(int(pid))
        assert telemetry.nice() == min(19, psutil.Process().nice() + 10)  # it gives way to the actors
        process.kill()
    assert all_gone([telemetry], 10.0)
    assert eventually(lambda: bool(sweep(run_root)) or not any(run_root.iterdir()))


def test_telemetry_started_by_hand_serves_the_run_and_ends_with_it() -> None:
    with make(total=8).start(output=io.StringIO()) as run:
        command = [sys.executable, "-m", "steady_mp.telemetry", str(run.directory), "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:  # noqa: S603
            assert process.stderr is not None
            try:
                assert state(process.stderr.readline().decode().strip())["live"]
                run.request_shutdown()
                assert run.block_until_stopped().exit_code is ExitCode.DRAINED
                assert process.wait(30) == 0
            finally:
                process.kill()


def test_top_shows_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top"]) == ExitCode.BAD_CONFIGURATION
    assert "nothing runs on this machine" in capsys.readouterr().err
    with make().start(output=io.StringIO()) as run:
        assert main(["top"]) == ExitCode.DRAINED
        shown = capsys.readouterr().out
        assert "source" in shown
        assert "middle→sink" in shown
        assert main(["top", "nobody"]) == ExitCode.BAD_CONFIGURATION
        assert "there is counted" in capsys.readouterr().err
        with make().start(output=io.StringIO()):
            assert main(["top"]) == ExitCode.BAD_CONFIGURATION
            assert "name one of them" in capsys.readouterr().err
            assert main(["top", run.directory.name, "--once"]) == ExitCode.DRAINED
