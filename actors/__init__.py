"""The example: numbers become FizzBuzz, four actors, three channels. `steady-mp run` runs it."""

from actors.pipeline import Args, build_graph
from actors.proof import check_report

__all__ = ["Args", "build_graph", "check_report"]
