from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from steady_mp import Alert, AlertColor, Filled, Trigger
from steady_mp.telemetry.dot import draw, sketch
from steady_mp.telemetry.svg import render
from tests.support.simulated import Simulated

#: Lines of the reference, with its figures left open.
NODE = re.compile(
    r'"(?P<name>[^"]+)" \[label="(?P=name)\nWindow \d+\.\d secs\nAvg load: \d+ %\nAvg mCPU: \d{4}\n", '
    r"color=\w+, penwidth=3 \];\n"
)
EDGE = re.compile(
    r'"[^"]+" -> "[^"]+" \[label="Window \d+\.\d secs\nfilled 80%ile \d+ %\nCapacity: [\d,]+ Total: [\d,]+\n", '
    r"color=\w+, penwidth=\d+\];\n"
)
HEAD = """\
digraph G {
rankdir=LR;
graph [nodesep=.5, ranksep=2.5];
node [margin=0.1];
node [style=filled, fillcolor=white, fontcolor=black];
edge [color=white, fontcolor=white];
graph [bgcolor=black];
"""
HOSTILE = [
    'quote"',
    "back\\slash\\",
    "<b>html</b>",
    "<x>",
    "new\nline\\n",
    "a:port:n",
    "ünïcödé 🦄 →",
    "bell\x07 escape\x1b[31m",
    "</svg><script>alert(1)</script>",
    "label=x];}",
    "graph",
    "%s {0} \\G &amp;",
]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """The first drawing compiles Graphviz, which keeps one descriptor for good: before anybody counts them."""
    render("digraph {}")


def test_the_shape_is_that_of_the_reference() -> None:
    with Simulated(("heartbeat", "worker")) as run:
        run.carry(1_234_567, 1_234_560)
        run.tick()
        drawn = draw(run.board)
        assert drawn.startswith(HEAD)
        assert drawn.endswith("];\n}\n")
        body = drawn[len(HEAD) : -2]
        assert len(NODE.findall(body)) == 2
        assert len(EDGE.findall(body)) == 1
        assert not EDGE.sub("", NODE.sub("", body))
        assert "filled 80%ile 70 %\nCapacity: 10 Total: 1,234,560\n" in body


def test_colour_by_alert_and_width_by_traffic() -> None:
    alerts = [Alert(Trigger.avg_above(Filled.percent(90)), AlertColor.RED)]
    with Simulated(("a", "b"), ("c", "d"), alerts=alerts) as run:
        for step in range(20):
            run.carry(10, 0, channel=0)
            run.carry(step * 1000, step * 1000, channel=1)
            run.tick()
        drawn = draw(run.board)
        assert re.search(r'"a" -> "b" .*?color=red, penwidth=1\];', drawn, re.DOTALL)
        assert re.search(r'"c" -> "d" .*?color=grey, penwidth=8\];', drawn, re.DOTALL)


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_drawn_as_itself_and_as_nothing_else(name: str) -> None:
    with Simulated((name, "plain"), graph=name) as run:
        run.tick()
        for drawn in (draw(run.board), sketch(run.plan)):
            svg = ET.fromstring(render(drawn))  # noqa: S314 - our own
            tags = {element.tag.rpartition("}")[2] for element in svg.iter()}
            assert tags <= {"svg", "g", "title", "polygon", "ellipse", "text", "path"}
            nodes = [g for g in svg.iter() if g.attrib.get("class") == "node"]
            assert len(nodes) == 2
            shown = "\n".join(text.text or "" for text in nodes[0].iter() if text.tag.endswith("}text"))
            clean = "".join("\ufffd" if c < " " and c != "\n" else c for c in name.encode("utf-8", "replace").decode())
            assert " ".join(shown.split()).startswith(" ".join(clean.split()))


def test_a_sketch_needs_no_run() -> None:
    with Simulated(("heartbeat", "worker"), capacity=2048, name="beats") as run:
        assert sketch(run.plan) == HEAD + (
            '"heartbeat" [label="heartbeat", color=grey, penwidth=3 ];\n'
            '"worker" [label="worker", color=grey, penwidth=3 ];\n'
            '"heartbeat" -> "worker" [label="beats\nCapacity: 2,048\n", color=grey, penwidth=1];\n}\n'
        )
