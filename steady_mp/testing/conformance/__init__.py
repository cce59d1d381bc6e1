"""Conformance suites: what every kind of channel and every doorbell has to do, as tests to inherit.

    class TestObjectChannel(ChannelConformance):
        @pytest.fixture
        def make(self) -> MakeLink:
            return Link

        def values(self, count: int) -> list[Any]:
            return list(range(count))

They need pytest, which the runtime does not: that is why `steady_mp.testing` does not import them.
"""

import pytest

# Before the modules are imported, so that an assert in them says what it compared, as one in a test does.
pytest.register_assert_rewrite(
    "steady_mp.testing.conformance.carrying",
    "steady_mp.testing.conformance.closing",
    "steady_mp.testing.conformance.doorbell",
    "steady_mp.testing.conformance.lane",
    "steady_mp.testing.conformance.surviving",
    "steady_mp.testing.conformance.waking",
)

from steady_mp.testing.conformance.channel import ChannelConformance  # noqa: E402 - see above
from steady_mp.testing.conformance.doorbell import DoorbellConformance, MakeDoorbell  # noqa: E402
from steady_mp.testing.conformance.lane import LaneConformance  # noqa: E402
from steady_mp.testing.conformance.link import Link, MakeLink  # noqa: E402

__all__ = ["ChannelConformance", "DoorbellConformance", "LaneConformance", "Link", "MakeDoorbell", "MakeLink"]
