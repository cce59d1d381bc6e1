"""The floor of the round trips: it commits what it says, so that it is a floor of what we promise."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from benchmarks.floor import Floor, floor

PLAY, ECHO = 0, 1


def played(shared: Floor, trips: int, pause: float = 0.0) -> list[int]:
    """Make the trips between two threads."""
    echo = threading.Thread(target=shared.echo, args=(trips,))
    echo.start()
    try:
        return shared.play(trips, pause)
    finally:
        echo.join()


@pytest.mark.parametrize("spins", [False, True], ids=["two FIFOs", "spin and commit"])
@pytest.mark.parametrize("trips", [1, 2, 99])
def test_both_sides_have_committed_each_trip(trips: int, spins: bool) -> None:  # noqa: FBT001
    with floor(spins=spins) as shared:
        assert len(played(shared, trips)) == trips
        assert shared.recovered(PLAY) == (trips - 1, trips, (trips, trips))
        assert shared.recovered(ECHO) == (trips, trips, (trips, trips))


def test_a_torn_snapshot_is_no_commit() -> None:
    with floor(spins=False) as shared:
        played(shared, 3)
        memory = Path(shared.folder) / "memory"
        whole = memory.read_bytes()
        snapshot = whole.rindex(b"\x80\x05", 0, len(whole) // 2)  # where a pickle begins: that of the slot behind
        memory.write_bytes(whole[:snapshot] + bytes(8) + whole[snapshot + 8 :])
        with pytest.raises(ValueError, match="side 0 is torn"):
            shared.recovered(PLAY)
        assert shared.recovered(ECHO) == (3, 3, (3, 3))
