"""A durable run that has begun and has no process: what is in its folder when its supervisor is killed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.channel.kinds import format_channel
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.rundir import RunDir
from steady_mp.plan import actor_file, channel_file
from steady_mp.supervisor.contents import first_contents

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Graph


def begin(folder: Path, graph: Graph) -> None:
    """Leave a durable run of a graph in a folder."""
    plan = graph.plan()
    run = RunDir.create_durable(folder, plan.files(), first_contents(plan, graph.packed, graph.beside, None, None))
    for index, channel in enumerate(plan.channels):
        mapping = run.mapping(channel_file(index))
        format_channel(mapping, channel)
        mapping.close()
    for index, actor in enumerate(plan.actors):
        control = ControlBlock(run.mapping(actor_file(index, "control")), len(actor.ends))
        control.format()
        control.close()
    run.begin()
    run.remove()
