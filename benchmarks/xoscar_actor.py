"""What xoscar makes an actor of: a class that its own processes can import. This needs xoscar, which has no types."""

from __future__ import annotations

import xoscar

from benchmarks.calls import Adder


class XoscarAdder(Adder, xoscar.Actor):  # type: ignore[misc]
    """Adds."""
