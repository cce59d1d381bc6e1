"""The performant example: the same four roles on lanes, half a lane a turn. `steady-mp run actors.performant` runs it.

The logger's totals at its end are those of arithmetic, as in the other example, also when its actors are killed.
"""

from importlib.util import find_spec

from steady_mp import ConfigurationError

if find_spec("numpy") is None:
    raise ConfigurationError("actors.performant needs numpy: pip install 'steady-mp[numpy]'")

from actors.performant.pipeline import Args, build_graph
from actors.proof import check_report

__all__ = ["Args", "build_graph", "check_report"]
