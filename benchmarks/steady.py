"""Our own graphs as contestants: run one, and read what its actors left in their states."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Graph, Report, Run


def run_graph(
    graph: Graph,
    patience: float,
    started: Callable[[Run], None] | None = None,
    **settings: Any,  # noqa: ANN401 - those of `Graph.start`
) -> Report:
    """Run `graph` to its end and return its report; `started` is called meanwhile.

    Raises TimeoutError when it takes more than `patience` seconds, and RuntimeError when it did not end clean.
    """
    output = io.StringIO()
    with graph.start(output=output, **settings) as run:
        if started is not None:
            started(run)
        report = run.block_until_stopped(patience)
    if not report.clean:
        message = "; ".join(report.why) or output.getvalue().strip() or f"exit code {report.exit_code}"
        raise RuntimeError(message)
    return report


def state_of(report: Report, actor: str) -> dict[str, Any]:
    """Return the last committed state of one actor, as plain data."""
    for found in report.actors:
        if found.name == actor and isinstance(found.state, dict):
            return found.state
    message = f"actor {actor!r} left no state"
    raise RuntimeError(message)
