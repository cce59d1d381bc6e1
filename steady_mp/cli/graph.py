"""`steady-mp graph`: draw the target's graph without running it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from steady_mp.cli.options import find_target, parse, settings_for
from steady_mp.cli.run import fill
from steady_mp.cli.target import load_target
from steady_mp.cli.view import show_text
from steady_mp.config import merge, settings_of
from steady_mp.errors import ExitCode
from steady_mp.graph import Topology

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class GraphSettings:
    """What `steady-mp graph` takes beside what the target takes."""

    format: Literal["dot", "svg"] = field(
        default="dot", metadata={"help": "What to write to the standard output.", "env": "STEADY_MP_GRAPH_FORMAT"}
    )


GRAPH: Final = settings_of(GraphSettings, "graph")
_PURPOSE: Final = "Draw a graph without running it: TARGET is package.module:function."


def graph(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what stands after `steady-mp graph`; gives the exit status."""
    target = load_target(find_target(words, GRAPH))
    settings = settings_for(target)
    for name in GRAPH.keys() & settings.keys():
        del settings[name]  # the drawing goes first; the target's default, environment or file decides there
    command_line = parse(words, target, settings, common=GRAPH, command="graph", purpose=_PURPOSE)
    if command_line is None:
        return ExitCode.DRAINED
    file = command_line.read_file(args=settings_for(target))
    values = command_line.values
    of_drawing = merge(GraphSettings, GRAPH, options=values, environ=environ, file=file)
    args = target.args and merge(target.args, settings, options=values, environ=environ, file=file)
    topology = Topology(target.module.rpartition(".")[2])
    fill(topology, target, args, debug=False)
    _write(topology, of_drawing.format)
    return ExitCode.DRAINED


def _write(topology: Topology, form: str) -> None:
    # Here and not above: the other commands need no drawing, and no WebAssembly.
    from steady_mp.telemetry.dot import sketch  # noqa: PLC0415
    from steady_mp.telemetry.svg import render  # noqa: PLC0415

    drawn = sketch(topology.plan())
    show_text(render(drawn).decode() if form == "svg" else drawn)
