"""The consumer of events that tests wait with: the one that ships."""

from __future__ import annotations

from steady_mp.testing.watch import Watch

__all__ = ["Watch"]
