"""The graph as DOT, in the shape that users of steady_state parse: one line a node, one an edge, fields in labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from graphviz import escape, nohtml
from graphviz.quoting import quote

from steady_mp.monitors import Metric

if TYPE_CHECKING:
    from steady_mp.plan import Plan
    from steady_mp.telemetry.board import Board

_HEAD: Final = """\
digraph G {
rankdir=LR;
graph [nodesep=.5, ranksep=2.5];
node [margin=0.1];
node [style=filled, fillcolor=white, fontcolor=black];
edge [color=white, fontcolor=white];
graph [bgcolor=black];
"""
_PLAIN: Final = "grey"
_NODE_WIDTH: Final = 3
_MOST_WIDTH: Final = 8
_SPACE: Final = 32
_DELETE: Final = 127


def clean(text: str) -> str:
    """Return `text` without what no XML and no C string can hold; line breaks stay."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(c if c == "\n" or (ord(c) >= _SPACE and ord(c) != _DELETE) else "\ufffd" for c in whole)


def quoted(text: str) -> str:
    """Return `text` as a DOT string, quoted also where it need not be, because parsers expect it."""
    found = quote(nohtml(escape(clean(text))))
    return found if found.startswith('"') else f'"{found}"'


def _label(text: str) -> str:
    """Return `text` as a DOT label that shows it as it is: Graphviz would read ``&lt;`` as an entity."""
    return quoted(text.replace("&", "&amp;"))


def _width(total: int, most: int) -> int:
    """Return the pen width of a channel that carried `total` messages where the busiest carried `most`."""
    if total <= 0 or most <= 0:
        return 1
    return max(1, round(1 + (_MOST_WIDTH - 1) * math.log1p(total) / math.log1p(most)))


def draw(board: Board) -> str:
    """Draw the running graph with its figures."""
    span = f"Window {board.span:.1f} secs"
    lines = []
    for meter, watcher in zip(board.actors, board.actor_watchers, strict=True):
        load = meter.windows[Metric.LOAD].average() or 0.0
        mcpu = meter.windows[Metric.MCPU].average() or 0.0
        label = f"{meter.plan.name}\n{span}\nAvg load: {load:.0f} %\nAvg mCPU: {mcpu:04.0f}\n"
        color = watcher.color or _PLAIN
        lines.append(f"{quoted(meter.plan.name)} [label={_label(label)}, color={color}, penwidth={_NODE_WIDTH} ];")
    rates = [meter.rate for meter in board.channels]
    names = [quoted(actor.name) for actor in board.plan.actors]
    for channel, guard in zip(board.channels, board.channel_watchers, strict=True):
        plan = channel.plan
        filled = channel.windows[Metric.FILLED].percentile(80) or 0.0
        total = channel.now.taken if channel.now else 0
        label = f"{span}\nfilled 80%ile {filled:.0f} %\nCapacity: {plan.capacity:,} Total: {total:,}\n"
        width = _width(round(channel.rate), round(max(rates)))
        color = guard.color or _PLAIN
        way = f"{names[plan.producer]} -> {names[plan.consumer]}"
        lines.append(f"{way} [label={_label(label)}, color={color}, penwidth={width}];")
    return _HEAD + "\n".join(lines) + "\n}\n"


def sketch(plan: Plan) -> str:
    """Draw a graph that does not run: names and capacities."""
    names = [quoted(actor.name) for actor in plan.actors]
    lines = [
        f"{name} [label={_label(actor.name)}, color={_PLAIN}, penwidth={_NODE_WIDTH} ];"
        for name, actor in zip(names, plan.actors, strict=True)
    ]
    for channel in plan.channels:
        way = f"{names[channel.producer]} -> {names[channel.consumer]}"
        default = f"{plan.actors[channel.producer].name}→{plan.actors[channel.consumer].name}"
        title = "" if channel.name.startswith(default) else f"{channel.name}\n"
        label = f"{title}Capacity: {channel.capacity:,}\n"
        lines.append(f"{way} [label={_label(label)}, color={_PLAIN}, penwidth=1];")
    return _HEAD + "\n".join(lines) + "\n}\n"
