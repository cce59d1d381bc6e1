"""What README.md, docs/actors.md and docs/deploying.md say is what the code does."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from steady_mp import Graph, RestartPolicy
from steady_mp.cli.systemd_unit import _GRACE, UnitSettings
from steady_mp.config import BOUNDS, RunSettings
from steady_mp.graph import RING
from steady_mp.serving import _LEAST_TOKEN
from tests.unit.source import ROOT
from tests.unit.test_docs_testing import blocks, stands_in

if TYPE_CHECKING:
    from pathlib import Path

README, ACTORS, DEPLOYING = ROOT / "README.md", ROOT / "docs/actors.md", ROOT / "docs/deploying.md"
#: What README's program adds up, and what a test has the time for.
MANY, FEW = 20_000_000, 20_000


def words(page: Path) -> str:
    return " ".join(page.read_text(encoding="utf-8").split())


def test_each_piece_of_python_stands_in_an_example() -> None:
    example = (ROOT / "tests/examples/test_in_guide.py").read_text(encoding="utf-8")
    assert all(stands_in(block, example) for block in blocks(ACTORS.read_text(encoding="utf-8")))


def test_the_program_of_the_readme_adds_up(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    (block,) = [block for block in blocks(text) if "__main__" in block]
    assert f"{MANY:_}" in block
    assert str({"value": MANY * (MANY - 1) // 2}) in text
    script = tmp_path / "sums.py"
    script.write_text(block.replace(f"{MANY:_}", str(FEW)), encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own page
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str({"value": FEW * (FEW - 1) // 2})


def test_the_policy_is_that_of_the_code() -> None:
    text = ACTORS.read_text(encoding="utf-8")
    for each in dataclasses.fields(RestartPolicy):
        shown = f'`"{each.default}"`' if isinstance(each.default, str) else f"{each.default:g}"
        assert f"| `{each.name}` | {shown} |" in text


def test_the_bounds_of_an_option_are_those_of_the_code() -> None:
    text = ACTORS.read_text(encoding="utf-8")
    row = re.search(r"^\| `metadata` \| `help`, and bounds: (.*) \|$", text, re.MULTILINE)
    assert row is not None
    assert tuple(re.findall(r"`([a-z_]+)`", row[1])) == BOUNDS


def test_the_defaults_of_a_channel_are_those_of_the_code() -> None:
    graph = Graph("defaults")
    tx, rx = graph.channel()
    graph.actor("a", stay_idle, tx)
    graph.actor("b", stay_idle, rx)
    (channel,) = graph.plan().channels
    assert (channel.capacity, channel.ring_bytes, RING) == (64, 1 << 20, 1 << 20)
    assert "`capacity` messages (64) and `ring_bytes` bytes (1 MiB, or 64 bytes a message" in words(
        ROOT / "docs/channels.md"
    )
    assert "its capacity (64 unless you say so), nor more bytes than its ring (1 MiB," in words(README)


def stay_idle(_actor: object, _end: object) -> None:
    """Be a behavior that nobody runs."""


def test_the_times_are_those_of_the_code() -> None:
    assert f"`--shutdown-timeout` ({RunSettings().shutdown_timeout:g} s)" in words(DEPLOYING)
    assert f"`--unit-watchdog` ({UnitSettings().unit_watchdog:g} s; 0 for never)" in words(DEPLOYING)
    assert f"kills {_GRACE} s behind the shutdown's own time-out" in words(DEPLOYING)
    assert {8: "a token of eight characters or more"}[_LEAST_TOKEN] in words(DEPLOYING)
