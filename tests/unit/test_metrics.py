from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from steady_mp.events import AlertRaised
from steady_mp.telemetry.prometheus import Exposition
from tests.support.simulated import Simulated, expose
from tests.unit.test_drawing import HOSTILE

GOLDEN = Path(__file__).parent / "metrics.golden.txt"
REFERENCE = """\
avg_load{actor_name="heartbeat"} 0.0
avg_load{actor_name="worker"} 0.0
avg_mCPU{actor_name="heartbeat"} 0.0
avg_mCPU{actor_name="worker"} 0.0
inflight{from="heartbeat",to="worker"} 3.0
send_total{from="heartbeat",to="worker"} 1386.0
take_total{from="heartbeat",to="worker"} 1383.0
percentile_filled{from="heartbeat",p="8000",to="worker"} 30.0
"""
LABELS = {"graph", "actor", "from", "to", "cause"}
#: The one name that promtool does not like is one that existing dashboards ask for.
KNOWN = "avg_mCPU metric names should be written in 'snake_case' not 'camelCase'"


def series(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_the_names_of_the_reference() -> None:
    with Simulated(("heartbeat", "worker")) as run:
        run.carry(1386, 1383)
        run.tick()
        lines = expose(run.board).decode().splitlines(keepends=True)
        assert "".join(line for line in lines if not line.startswith(("#", "steady_"))) == REFERENCE


def test_names_types_and_labels_are_frozen() -> None:
    """Dashboards and alerts of others hang on them: a change here is a change of the interface."""
    with Simulated(("heartbeat", "worker")) as run:
        run.tick()
        families = text_string_to_metric_families(expose(run.board).decode())
        lines = [f"{family.name} {family.type} {','.join(sorted(family.samples[0].labels))}\n" for family in families]
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text("".join(lines))
    assert "".join(lines) == GOLDEN.read_text()


def test_names_follow_the_conventions() -> None:
    with Simulated(("heartbeat", "worker")) as run:
        run.tick()
        for family in text_string_to_metric_families(expose(run.board).decode()):
            assert family.documentation.endswith(".")
            for sample in family.samples:
                if not family.name.startswith("steady_"):
                    continue
                assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", sample.name)
                assert sample.name.endswith("_total") == (family.type == "counter")
                assert set(sample.labels) <= LABELS
                assert not re.search(r"_(ms|percent|kb|minutes)\b", sample.name)


def test_promtool_has_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not os.environ.get("CI"), "promtool is missing: apt-get install prometheus"
        pytest.skip("promtool is missing: apt-get install prometheus")
    with Simulated(("heartbeat", "worker"), ('"quoted"\n', "back\\slash")) as run:
        run.tick()
        run.tick()
        command = [promtool, "check", "metrics"]
        said = subprocess.run(command, input=expose(run.board), capture_output=True, check=False)  # noqa: S603
    complaints = (said.stdout + said.stderr).decode().splitlines()
    assert [line for line in complaints if line != KNOWN] == []


def test_a_thousand_restarts_add_no_series_and_no_counter_falls() -> None:
    with Simulated() as run:
        run.begin()
        run.tick()
        before = series(expose(run.board))
        latest = before
        for life in range(1, 1001):
            run.die(generation=life, cause=f"ValueError: {life}" if life % 2 else f"SIG{life}")
            run.begin(generation=life + 1)
            if life % 50 == 0:
                run.tick()
                now = series(expose(run.board))
                fallen = [key for key, value in latest.items() if key[0].endswith("_total") and now[key] < value]
                assert not fallen
                latest = now
        assert latest.keys() == before.keys()
        restarts = {dict(key[1])["cause"]: value for key, value in latest.items() if _is_restart_of(key, "feed")}
        assert restarts["exception"] == restarts["signal"] == 500
        assert sum(restarts.values()) == 1000


def _is_restart_of(key: tuple[str, tuple[tuple[str, str], ...]], actor: str) -> bool:
    return key[0] == "steady_actor_restarts_total" and dict(key[1])["actor"] == actor


def test_a_new_telemetry_process_goes_on_where_the_old_one_stood() -> None:
    with Simulated() as run:
        run.begin()
        run.carry(20, 15)
        run.record(AlertRaised(kind="channel", subject="feed→eat", color="red", condition="filled", value="100 %"))
        run.tick()
        before = series(expose(run.board))
        again = type(run.board)(run.plan)
        run.now += 1
        again.update(run.sampler.sample())
        after = series(expose(again))
        counters = {key for key in before if key[0].endswith("_total")}
        assert {key: after[key] for key in counters} == {key: before[key] for key in counters}
        assert after["steady_channel_alerts_total", (("from", "feed"), ("graph", "simulated"), ("to", "eat"))] == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_labels(name: str) -> None:
    with Simulated((name, "plain"), graph=name) as run:
        run.tick()
        exposition = Exposition(run.board)
        assert exposition.text() == expose(run.board)
        run.carry(3, 2)
        run.tick()
        assert exposition.text() == expose(run.board)
        found = series(expose(run.board))
        graphs = {dict(labels)["graph"] for metric, labels in found if metric == "steady_up"}
        assert len(graphs) == 1
        actors = {dict(labels)["actor"] for metric, labels in found if metric == "steady_actor_up"}
        assert len(actors) == 2
        if name.isprintable():
            assert graphs == {name}
