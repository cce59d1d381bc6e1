"""The example: numbers become FizzBuzz, four actors, three channels. `steady-mp run` runs it."""

from actors.pipeline import Args, build_graph

__all__ = ["Args", "build_graph"]
