"""Who waits for what, and for whom: why a graph does not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from steady_mp.memory.mapping import Mapping
    from steady_mp.plan import Plan


class Waits:
    """What the sleepers of a run have asked to be woken by, read from the channels."""

    def __init__(self, plan: Plan, channels: Sequence[Mapping]) -> None:
        """Look at the channels of a run in which nobody moves."""
        self._plan = plan
        self._channels = channels

    def of(self, actor: int) -> list[tuple[str, int]]:
        """Return what an actor waits for, each in words and with the actor that could bring it."""
        waits = []
        for end in self._plan.actors[actor].ends:
            channel = self._plan.channels[end.channel]
            words = self._channels[end.channel].words
            wanted = words[layout.WAKE_HEAD if end.sends else layout.WAKE_TAIL]
            if wanted == layout.NEVER:
                continue
            sent, taken = words[layout.TAIL], words[layout.HEAD]
            if end.sends:
                peer = self._plan.actors[channel.consumer].name
                text = (
                    f"{peer} to take {wanted - taken} more of {channel.name} "
                    f"({sent - taken} of {channel.capacity} in it)"
                )
                waits.append((text, channel.consumer))
            else:
                peer = self._plan.actors[channel.producer].name
                closed = ", closed" if words[layout.TX_CLOSED] else ""
                text = f"{peer} to send {wanted - sent} more into {channel.name} ({sent - taken} in it{closed})"
                waits.append((text, channel.producer))
        return waits

    def explain(self, sleepers: Iterable[int]) -> str:
        """Say for each sleeper what it waits for, and name a circle of them if there is one."""
        lines = []
        graph: dict[int, list[int]] = {}
        for actor in sleepers:
            waits = self.of(actor)
            graph[actor] = [peer for _, peer in waits]
            what = " or for ".join(text for text, _ in waits) or "nothing that anybody here can bring"
            lines.append(f"  {self._plan.actors[actor].name} waits for {what}")
        circle = _circle(graph)
        if circle:
            names = [self._plan.actors[actor].name for actor in circle]
            lines.append(f"  in a circle: {' → '.join([*names, names[0]])}")
        return "\n".join(lines)


def _circle(graph: dict[int, list[int]]) -> list[int]:
    """Return a circle of actors that wait for each other; empty if there is none."""
    for start in graph:
        way = [start]
        while True:
            following = next((peer for peer in graph.get(way[-1], ()) if peer in graph), None)
            if following is None:
                break
            if following in way:
                return way[way.index(following) :]
            way.append(following)
    return []
