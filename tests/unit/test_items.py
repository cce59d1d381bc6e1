"""What a `dtype` may be, what is said of one that can't be, and what lanes are declared as."""

from __future__ import annotations

import mmap
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from steady_mp import Actor, ConfigurationError, DoesNotFit, Graph, LaneRx, LaneTx, Rx, Tx
from steady_mp.channel.items import _dtype_text, check_item, items_of, text_of
from steady_mp.graph import Topology
from steady_mp.memory.layout import PAGE
from steady_mp.plan import Plan
from steady_mp.testing import Bench

if TYPE_CHECKING:
    from collections.abc import Callable

RECORD = np.dtype([("id", "<u8"), ("at", "<f8")], align=True)

BAD: dict[str, tuple[Callable[[], object], str]] = {
    "no format": (lambda: text_of("u8"), "dtype 'u8': no format of struct"),
    "nothing": (lambda: text_of(""), "dtype '': its items have no bytes"),
    "nothing, of numpy": (lambda: text_of(np.dtype("V0")), "its items have no bytes"),
    "padding": (lambda: text_of("4x"), "dtype '4x': nothing but padding, so it holds no value"),
    "a number": (lambda: text_of(8), 'dtype 8: give a format of struct, such as "Q" or "Qd", or a numpy.dtype'),
    "objects": (lambda: text_of(np.dtype(object)), "dtype object: it holds Python objects"),
    "arrays": (lambda: text_of(np.dtype(("f4", (3,)))), "each item is an array; make it a field"),
    "a mirror of objects": (lambda: Graph().channel(mirror=True), "mirror=True is for lanes"),  # type: ignore[call-overload]
    "bytes of its ring": (
        lambda: Graph().channel(8, dtype="Q", ring_bytes=4096),  # type: ignore[call-overload]
        "ring_bytes 4096: a lane has 8 bytes an item; leave it out",
    ),
    "too many": (lambda: Graph().channel(1 << 30, dtype="9999s"), "lower its capacity"),
}


@pytest.mark.parametrize(("declare", "line"), BAD.values(), ids=BAD)
def test_a_bad_dtype_is_one_clear_line(declare: Callable[[], object], line: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        declare()
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        ("Q", "Q"),
        (" Q d ", "Qd"),
        (np.dtype("u8"), np.dtype("u8").char),
        (np.float32, "f"),
        (RECORD, f"numpy:{np.lib.format.dtype_to_descr(RECORD)!r}"),
    ],
)
def test_a_dtype_is_kept_as_text(dtype: Any, text: str) -> None:
    assert text_of(dtype) == text
    assert items_of(text).itemsize == (
        np.dtype(dtype).itemsize if not isinstance(dtype, str) else struct.calcsize(text)
    )


@pytest.mark.parametrize(
    ("dtype", "fields"),
    [
        ("Bd", [("f0", "u1", 0), ("f1", "f8", 8)]),
        ("=Bd", [("f0", "u1", 0), ("f1", "f8", 1)]),
        (">2Hx4s?", [("f0", ">u2", 0), ("f1", ">u2", 2), ("f2", "S4", 5), ("f3", "?", 9)]),
    ],
)
def test_a_struct_is_an_array_with_its_fields(dtype: str, fields: list[tuple[str, str, int]]) -> None:
    values = tuple(b"abcd" if form == "S4" else True if form == "?" else 7 for _, form, _ in fields)
    array = items_of(text_of(dtype)).as_array(memoryview(struct.pack(dtype, *values)))
    assert array.dtype.itemsize == struct.calcsize(dtype)
    assert [(name, array.dtype[name], array.dtype.fields[name][1]) for name in array.dtype.names or ()] == [
        (name, np.dtype(form), offset) for name, form, offset in fields
    ]
    assert array[0].item() == values


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("I4x", [7, 8, 9]),
        ("Q8x", [7, 8]),
        ("Bxxx", [1, 2]),
        ("xB", [1, 2]),
        ("4s", [b"abcd", b"efgh"]),
        (">I", [1, 2]),
        ("c0q", [b"a", b"b"]),
        ("c0qc", [(b"a", b"b"), (b"c", b"d")]),
    ],
)
def test_an_array_has_the_items_and_nothing_of_what_pads_them(dtype: str, values: list[Any]) -> None:
    items = items_of(text_of(dtype))
    room = bytearray(len(values) * items.itemsize)
    filled = items.as_array(memoryview(room))
    assert len(filled) == len(values)
    filled[:] = values
    assert items.unpack(bytes(room)) == values
    assert items.as_array(memoryview(bytes(items.pack(values)))).tolist() == values


def test_texts_that_begin_with_their_length_are_no_array() -> None:
    items = items_of(text_of("5p"))
    with pytest.raises(ConfigurationError, match=r"dtype '5p': no array has .* say s for p"):
        items.as_array(memoryview(items.pack([b"abc"])))


def test_what_is_no_item_is_named() -> None:
    with pytest.raises(
        DoesNotFit, match=r"channel 'ticks': 'x+\.\.\.x+' does not fit dtype 'd': memoryview: invalid type"
    ):
        check_item("x" * 100, "d", "ticks")


class Unspeakable:
    """Is no number, and can't be shown."""

    def __repr__(self) -> str:
        message = "no repr"
        raise RuntimeError(message)


def test_what_is_no_item_is_refused_also_where_it_can_t_be_shown() -> None:
    with pytest.raises(DoesNotFit, match=r"channel 'ticks': <Unspeakable instance at 0x\w+> does not fit dtype 'd'"):
        check_item(Unspeakable(), "d", "ticks")


def feed(_actor: Actor, _out: LaneTx[int]) -> None:
    """Nobody ever runs it."""


def eat(_actor: Actor, _in: LaneRx[int]) -> None:
    """Nobody ever runs it."""


def eat_anything(_actor: Actor, _out: Tx[int], _in: Rx[int]) -> None:
    """Nobody ever runs it."""


def planned(dtype: Any, capacity: int = 10, *, mirrored: bool = False) -> Plan:
    graph = Topology()
    tx, rx = graph.channel(capacity, dtype=dtype, mirror=mirrored)
    graph.actor("feed", feed, tx)
    graph.actor("eat", eat, rx)
    return graph.plan()


def test_a_plan_says_what_a_lane_is() -> None:
    plan = planned(RECORD)
    assert Plan.from_json(plan.to_json()) == plan
    (channel,) = plan.channels
    assert (channel.shape.kind, channel.shape.itemsize, channel.ring_bytes) == ("lane", 16, 160)
    assert plan.differences(planned(RECORD)) == []
    assert "shape" in plan.differences(planned("Qd"))[0]


@pytest.mark.parametrize(("dtype", "capacity", "pages"), [("Q", 10, 1), ("Q", 513, 2), ("=QdB", 10, 17)])
def test_a_mirrored_ring_is_whole_pages_of_whole_items(dtype: str, capacity: int, pages: int) -> None:
    assert planned(dtype, capacity, mirrored=True).channels[0].ring_bytes == pages * PAGE


def copy(actor: Actor, rows: LaneRx[int], copies: LaneTx[int]) -> None:
    """Copy windows of a lane into another one, which both hand out one view at a time."""
    while actor.is_running() and actor.await_for_all(rows.wait_avail(600), copies.wait_vacant(600)):
        (view,), (room,) = rows.peek_slice(600), copies.poke_slice(600)
        room[:] = view
        rows.advance_take(600)
        copies.advance_send(600)


@pytest.mark.skipif(sys.platform != "linux", reason="mirrors are for Linux")
def test_a_mirrored_lane_is_one_view_on_the_bench_too() -> None:
    bench = Bench()
    rows, copies = bench.input(1000, dtype="q", mirror=True), bench.output(1000, dtype="q", mirror=True)
    bench.actor(copy, rows.end, copies.end)
    for begin in range(0, 3000, 600):  # over the end of both rings
        rows.send_all(range(begin, begin + 600))
        bench.run()
        assert copies.take_all() == list(range(begin, begin + 600))
    with pytest.raises(ConfigurationError, match="mirror=True is for lanes"):
        Bench().input_bundle(2, mirror=True)
    with pytest.raises(ConfigurationError, match="mirror=True is for lanes"):
        Bench().output_bundle(2, mirror=True)


def test_a_behavior_that_wants_a_lane_is_given_one() -> None:
    graph = Topology()
    tx, rx = graph.channel()
    with pytest.raises(ConfigurationError, match=r"'_out' wants the sending end of a lane \(LaneTx\).*was given the"):
        graph.actor("feed", feed, tx)
    lane_tx, lane_rx = graph.channel(dtype="Q")
    with pytest.raises(ConfigurationError, match=r"'_in' wants the receiving end of a lane \(LaneRx\)"):
        graph.actor("eat", eat, lane_tx)
    graph.actor("both", eat_anything, lane_tx, lane_rx)
    graph.actor("objects", eat_anything, tx, rx)


def test_a_machine_that_cant_mirror_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ConfigurationError, match="mirror=True is for Linux, and this is darwin: leave it out"):
        Graph().channel(8, dtype="Q", mirror=True)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(mmap, "ALLOCATIONGRANULARITY", 1 << 16)
    with pytest.raises(ConfigurationError, match="needs pages of 4096 bytes, and this machine's have 65536"):
        Graph().channel(8, dtype="Q", mirror=True)


def test_numpy_is_imported_by_nobody_who_has_not_asked() -> None:
    code = (
        "import sys; import steady_mp.channel.lane_sender; from steady_mp import Graph; "
        "Graph().channel(8, dtype='Qd'); print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(("order", "code", "text"), [("@", "F", "=c8"), (">", "D", ">c16")])
def test_complex_numbers_are_what_numpy_calls_so(order: str, code: str, text: str) -> None:
    """Struct has them since Python 3.14."""
    assert _dtype_text(order, code, np.dtype(text).itemsize) == text
