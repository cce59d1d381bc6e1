"""The slots of a lane let go of the channel's file, whatever writes and reads the items."""

from __future__ import annotations

import pytest

from steady_mp.channel.items import text_of
from steady_mp.channel.slots import Slots
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping


@pytest.mark.parametrize("dtype", ["Q", "Qd", "records", "dates", "big-endian"])
def test_the_file_is_unmapped_while_somebody_still_knows_the_slots(dtype: str) -> None:
    text = dtype if dtype in {"Q", "Qd"} else _numpy_text(dtype)
    mapping = Mapping(None, layout.RING_START + 4096)
    Slots.format(mapping, 16, 16 if text == "Qd" or dtype == "records" else 8)
    slots = Slots(mapping, "numbers", text)
    slots.close()
    with pytest.raises((ValueError, TypeError)):
        _ = slots.cells[0]


def _numpy_text(dtype: str) -> str:
    np = pytest.importorskip("numpy")
    kinds = {"records": [("at", "u8"), ("value", "f8")], "dates": "M8[s]", "big-endian": ">u8"}
    return text_of(np.dtype(kinds[dtype]))
