"""What docs/operating.md shows of `why`, `ps`, `state` and `peek` is what they print, figures aside."""

from __future__ import annotations

import re

import pytest

from tests.support.operator import Operator, hosted
from tests.support.waiting import eventually
from tests.unit.test_operations_page import PAGE

pytestmark = pytest.mark.timeout(60)

FLOW = ("source", "middle", "sink")


def example(command: str) -> list[str]:
    """Return the lines that the page shows below a command, up to the next one."""
    shown = PAGE.read_text(encoding="utf-8").partition(f"$ steady-mp {command}\n")[2]
    return re.split(r"^(?:```|\$ )", shown, maxsplit=1, flags=re.MULTILINE)[0].splitlines()


def shape(line: str) -> str:
    """Return a line without its figures, names of files, and columns."""
    line = re.sub(r"\S+\.\d+\.\d+\.\d+\.\d+$", "RUN", line.rstrip())
    return re.sub(r" {2,}", "  ", re.sub(r"\d[\d,.:-]*", "0", line))


def test_what_the_page_shows_is_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    operator = Operator(capsys)
    with hosted("flow", *FLOW) as host:
        assert operator.types("kill", "middle").status == 0
        host.wait_line("middle died in life 1 (SIGKILL)")
        host.wait_line("started middle 2 ")
        operator.freezes("sink", "middle->sink", "source->middle")
        assert eventually(lambda: {a["state"] for a in operator.actors().values()} == {"blocked", "stopped"})
        printed = {command: operator.types(*command.split()).out.splitlines() for command in ("why", "ps")}
        printed["state"] = operator.types("state", "middle").out.splitlines()
        printed["peek"] = operator.types("peek", "middle->sink", "-n", "3").out.splitlines()

    why = example("why")
    assert shape(why[0]).replace("actors", "flow") == shape(printed["why"][0])
    assert why[1].split() == printed["why"][1].split()
    labels = [line[2:10].strip() for line in why if re.match(r"  [a-z]", line) and not line.endswith(":")]
    assert labels == ["cause", "in hand", "then", "it had"]
    told = [line[2:10].strip() for line in printed["why"] if re.match(r"  [a-z]", line) and not line.endswith(":")]
    assert [label for label in labels if label in told] == told  # in that order; a SIGKILL may leave no message
    had = {shape(line) for line in (*why, *printed["why"]) if line.startswith("  it had")}
    assert len(had) == 1

    ps = example("ps")
    assert shape(ps[0]).replace("actors", "flow") == shape(printed["ps"][0])
    assert ps[1].split() == printed["ps"][1].split()
    assert any("blocked on source→middle" in line for line in printed["ps"])
    assert any(re.search(r"sink +stopped ", line) for line in printed["ps"])
    assert any("1 (SIGKILL x1)" in line for line in printed["ps"])

    assert (
        shape(example("state worker")[0]).replace("worker", "middle").partition(",")[0]
        == (shape(printed["state"][0]).partition(",")[0])
    )
    peek = example("peek 'worker->logger' -n 3")
    assert shape(peek[0]).replace("worker→logger", "middle→sink") == shape(printed["peek"][0])
    assert peek[1].split() == printed["peek"][1].split()
    assert len(peek) == len(printed["peek"]) == 5
