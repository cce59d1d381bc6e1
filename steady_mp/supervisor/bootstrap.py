"""How a process of a run is started: with this interpreter, its flags, and the module path of the graph."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

#: In the environment of every process of a run: its directory.
RUN_MARK: Final = "STEADY_MP_RUN"
_CODE: Final = (
    "import sys; "
    # With -c the working folder comes first, where a file may lie that is called as one of Python's modules is.
    "sys.path[:] = filter(None, sys.path); "
    "import json, pathlib; "
    "sys.path[:] = json.loads((pathlib.Path(sys.argv[1]) / 'graph.json').read_text())['path']; "
    "from {module} import main; sys.exit(main())"
)


def command(module: str, directory: Path) -> list[str]:
    """Return the command that runs `main` of `module` for the run in `directory`; arguments may follow."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001 - -X, -W, -O …
    return [sys.executable, *flags, "-c", _CODE.format(module=module), str(directory)]
