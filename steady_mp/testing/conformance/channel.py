"""ChannelConformance: what every kind of channel has to do."""

from __future__ import annotations

from steady_mp.testing.conformance.carrying import Carrying
from steady_mp.testing.conformance.closing import Closing
from steady_mp.testing.conformance.surviving import Surviving
from steady_mp.testing.conformance.waking import Waking


class ChannelConformance(Carrying, Closing, Surviving, Waking):
    """The contract of `Tx` and `Rx`, as tests. Subclass it, and say what your kind of channel is.

    Override the fixture `make` and the method `values`; override `plain`, `changing`, `unfit` and `bulky`
    as far as your kind can do what they are about (see `Kind`). Each test of what it can't do is skipped.

    The channels are those of actors on a rig: all turns, journals and recoveries are the real ones.
    """
