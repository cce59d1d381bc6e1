"""`python -m steady_mp`: the command `steady-mp`, where it is not on the path."""

from __future__ import annotations

import sys

from steady_mp.cli.main import main

if __name__ == "__main__":  # actors of a graph that it runs load it as well
    sys.exit(main())
