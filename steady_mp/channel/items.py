"""Items: what stands in the slots of a lane, as bytes and as Python values.

An item is one native number (its views are typed), whatever `struct` can write, or what a numpy dtype says.
numpy is imported only where a lane has such a dtype, or somebody asks for an array.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias, cast

from steady_mp.errors import ConfigurationError, DoesNotFit
from steady_mp.standin import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    Array: TypeAlias = np.ndarray[Any, Any]

IntCode: TypeAlias = Literal["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "n", "N"]
FloatCode: TypeAlias = Literal["e", "f", "d"]

#: What a value that is no item raises, by the way in which it is written.
UNFIT: Final = (TypeError, ValueError, OverflowError, struct.error)

_NUMPY: Final = "numpy:"
#: Characters of a value that an error shows.
_SHOWN: Final = 100
_KINDS: Final = {**dict.fromkeys("bhilqn", "i"), **dict.fromkeys("BHILQN", "u"), "f": "f", "d": "f", "?": "?", "c": "c"}
_NATIVE: Final = "<" if sys.byteorder == "little" else ">"
_FIELD: Final = re.compile(r"(\d*)([a-zA-Z?])")


class Cells(Protocol):
    """The slots of a lane, by index; an item goes in and comes out as a value that is nobody else's."""

    def __getitem__(self, index: int, /) -> Any:  # noqa: ANN401 - an item
        """Return the item in a slot."""

    def __setitem__(self, index: int, value: Any, /) -> None:  # noqa: ANN401
        """Write an item. Raises one of `UNFIT`."""


class Items(ABC):
    """How the items of one lane are written and read."""

    __slots__ = ("itemsize", "unit")

    def __init__(self, itemsize: int, unit: int) -> None:
        """Take `itemsize` bytes each; an item is `unit` elements of a view."""
        self.itemsize = itemsize
        #: Elements of a view for each item: 1, or the itemsize where views are of bytes.
        self.unit = unit

    @abstractmethod
    def cells(self, data: memoryview) -> Cells:
        """Return the slots in `data` by index."""

    @abstractmethod
    def whole(self, data: memoryview) -> memoryview:
        """Return all slots in `data` as one view: of items, or of bytes where a memoryview can't show them."""

    @abstractmethod
    def pack(self, values: Sequence[Any]) -> Any:  # noqa: ANN401 - anything with a buffer of bytes
        """Return the bytes of `values`, one after the other. Raises one of `UNFIT`."""

    @abstractmethod
    def unpack(self, data: bytes | memoryview) -> list[Any]:
        """Return the items that stand in `data`, as values of their own."""

    @abstractmethod
    def as_array(self, view: memoryview) -> Array:
        """Return a view of a lane as an array, without a copy. Needs numpy."""


class _Numbers(Items):
    """Native numbers, which a memoryview can show by itself."""

    __slots__ = ("_code",)

    def __init__(self, code: str) -> None:
        super().__init__(struct.calcsize(code), 1)
        self._code = code

    def cells(self, data: memoryview) -> Cells:
        return self._cast(data)

    def whole(self, data: memoryview) -> memoryview:
        return self._cast(data)

    def _cast(self, data: memoryview) -> memoryview[Any]:
        code: Any = self._code
        return data.cast(code)

    def pack(self, values: Sequence[Any]) -> Any:  # noqa: ANN401
        raw = self._raw(values)
        if raw is not None:
            return raw
        return struct.pack(f"{len(values)}{self._code}", *values)  # an array takes twice as long to make

    def _raw(self, values: Sequence[Any]) -> memoryview | bytes | None:
        """Return the bytes of a buffer of the same numbers; None for anything else."""
        try:
            view = memoryview(cast("memoryview", values))  # which it may not be
        except (TypeError, ValueError, BufferError):
            return None
        kind = _KINDS.get(view.format)
        if view.ndim != 1 or kind is None or kind != _KINDS.get(self._code) or view.itemsize != self.itemsize:
            return None
        return view.cast("B") if view.c_contiguous else view.tobytes()

    def unpack(self, data: bytes | memoryview) -> list[Any]:
        with memoryview(data) as view:
            return self._cast(view).tolist()

    def as_array(self, view: memoryview) -> Array:
        found: Array = _numpy().frombuffer(view, self._code)  # asarray makes an object of a released view
        return found


class _StructCells:
    """Slots that `struct` writes and reads; a single value stands for itself, several are a tuple."""

    __slots__ = ("_data", "_single", "_struct")

    def __init__(self, data: memoryview, form: struct.Struct, *, single: bool) -> None:
        self._data = data
        self._struct = form
        self._single = single

    def __getitem__(self, index: int) -> Any:  # noqa: ANN401
        values = self._struct.unpack_from(self._data, index * self._struct.size)
        return values[0] if self._single else values

    def __setitem__(self, index: int, value: Any) -> None:  # noqa: ANN401
        values = (value,) if self._single else value
        self._struct.pack_into(self._data, index * self._struct.size, *values)


class _Structs(Items):
    """Whatever `struct` can write."""

    __slots__ = ("_single", "_struct")

    def __init__(self, text: str) -> None:
        self._struct = struct.Struct(text)
        super().__init__(self._struct.size, self._struct.size)
        self._single = len(self._struct.unpack(bytes(self._struct.size))) == 1

    def cells(self, data: memoryview) -> Cells:
        return _StructCells(data, self._struct, single=self._single)

    def whole(self, data: memoryview) -> memoryview:
        return data

    def pack(self, values: Sequence[Any]) -> Any:  # noqa: ANN401
        pack = self._struct.pack
        return b"".join([pack(value) for value in values] if self._single else [pack(*value) for value in values])

    def unpack(self, data: bytes | memoryview) -> list[Any]:
        found = list(self._struct.iter_unpack(data))
        return [value for (value,) in found] if self._single else found

    def as_array(self, view: memoryview) -> Array:
        found: Array = _numpy().frombuffer(view, _as_dtype(self._struct))
        return found["f0"] if self._single else found  # which leaves out what pads it


class _RecordCells:
    """Slots that numpy writes and reads."""

    __slots__ = ("_array",)

    def __init__(self, records: Array) -> None:
        self._array = records

    def __getitem__(self, index: int) -> Any:  # noqa: ANN401
        return self._array[index].copy()

    def __setitem__(self, index: int, value: Any) -> None:  # noqa: ANN401
        self._array[index] = value


class _Records(Items):
    """What only a numpy dtype can say: structured items, dates, numbers of the other byte order."""

    __slots__ = ("_dtype",)

    def __init__(self, text: str) -> None:
        self._dtype = _numpy().lib.format.descr_to_dtype(ast.literal_eval(text.removeprefix(_NUMPY)))
        try:
            memoryview(_numpy().empty(1, self._dtype))
        except ValueError:  # dates, for example, have no buffers
            unit = self._dtype.itemsize
        else:
            unit = 1
        super().__init__(self._dtype.itemsize, unit)

    def cells(self, data: memoryview) -> Cells:
        return _RecordCells(_numpy().frombuffer(data, self._dtype))

    def whole(self, data: memoryview) -> memoryview:
        return memoryview(_numpy().frombuffer(data, self._dtype)) if self.unit == 1 else data

    def pack(self, values: Sequence[Any]) -> Any:  # noqa: ANN401
        numpy = _numpy()
        records = numpy.ascontiguousarray(values, self._dtype)
        if records.shape != (len(values),):
            message = f"{len(values)} values make an array of shape {records.shape}"
            raise ValueError(message)
        return records.view(numpy.uint8).data

    def unpack(self, data: bytes | memoryview) -> list[Any]:
        return list(_numpy().frombuffer(data, self._dtype).copy())

    def as_array(self, view: memoryview) -> Array:
        found: Array = _numpy().frombuffer(view, self._dtype)
        return found


def items_of(text: str) -> Items:
    """Return how the items of a lane are written, from the text that `text_of` has made."""
    if text.startswith(_NUMPY):
        return _Records(text)
    code = _native_code(text)
    return _Structs(text) if code is None else _Numbers(code)


def misfit(values: object, dtype: str, channel: str, error: Exception) -> DoesNotFit:
    """Make the error for what is no item."""
    return DoesNotFit(f"channel {channel!r}: {bounded(values, _SHOWN)} does not fit dtype {dtype!r}: {error}")


def check_item(value: object, dtype: str, channel: str) -> None:
    """Raise DoesNotFit, naming the channel, unless `value` is an item."""
    items = items_of(dtype)
    cells = items.cells(memoryview(bytearray(items.itemsize)))
    try:
        cells[0] = value
    except UNFIT as error:
        raise misfit(value, dtype, channel, error) from None


def text_of(dtype: object) -> str:
    """Return what `dtype=` asks for as a text that a plan can keep. Raises ConfigurationError."""
    return _struct_text(dtype) if isinstance(dtype, str) else _numpy_text(dtype)


def _struct_text(dtype: str) -> str:
    text = "".join(dtype.split())
    try:
        form = struct.Struct(text)
    except (struct.error, UnicodeError) as error:
        message = (
            f'dtype {dtype!r}: no format of struct ({error}); one is "Q", "d" or "Qd", '
            "and what numpy calls so is given as numpy.dtype(…)"
        )
        raise ConfigurationError(message) from None
    if not form.size:
        message = f"dtype {dtype!r}: its items have no bytes"
        raise ConfigurationError(message)
    if not form.unpack(bytes(form.size)):
        message = f"dtype {dtype!r}: nothing but padding, so it holds no value"
        raise ConfigurationError(message)
    return text


def _numpy_text(dtype: object) -> str:
    """Return the text of a numpy dtype, or of a scalar type of numpy."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and isinstance(dtype, type) and issubclass(dtype, numpy.generic):
        dtype = numpy.dtype(dtype)
    if numpy is None or not isinstance(dtype, numpy.dtype):
        message = f'dtype {dtype!r}: give a format of struct, such as "Q" or "Qd", or a numpy.dtype'
        raise ConfigurationError(message)
    if dtype.hasobject:
        message = (
            f"dtype {dtype}: it holds Python objects, which mean nothing to another process; use an object channel"
        )
        raise ConfigurationError(message)
    if not dtype.itemsize:
        message = f"dtype {dtype}: its items have no bytes"
        raise ConfigurationError(message)
    if dtype.subdtype is not None:
        message = (
            f"dtype {dtype}: each item is an array; make it a field, like numpy.dtype([('values', {dtype.base}, …)])"
        )
        raise ConfigurationError(message)
    if dtype.kind in "iufb" and dtype.isnative and dtype.char in _KINDS:
        return str(dtype.char)
    return f"{_NUMPY}{numpy.lib.format.dtype_to_descr(dtype)!r}"


def _native_code(text: str) -> str | None:
    """Return the code by which a memoryview can show such an item; None when it can't."""
    order, code = (text[0], text[1:]) if text[0] in "@=<>!" else ("@", text)
    if code not in _KINDS:
        return None
    if order == "@" or struct.calcsize(code) == 1:
        return code
    is_native = order in {"=", _NATIVE} or (order == "!" and _NATIVE == ">")
    return code if is_native and struct.calcsize(order + code) == struct.calcsize(code) else None


def _numpy() -> Any:  # noqa: ANN401 - a module that may not be there
    try:
        import numpy  # noqa: ICN001, PLC0415 - an extra: only who asks for arrays needs it
    except ModuleNotFoundError:
        message = "arrays need numpy: pip install 'steady-mp[numpy]'"
        raise ConfigurationError(message) from None
    return numpy


def _as_dtype(form: struct.Struct) -> Any:  # noqa: ANN401 - a numpy.dtype
    """Return the numpy dtype of a struct: fields f0, f1, … where struct has them. Raises ConfigurationError."""
    text = form.format
    order, codes = (text[0], text[1:]) if text[0] in "@=<>!" else ("@", text)
    names: list[str] = []
    formats: list[str] = []
    offsets: list[int] = []
    before = order
    for repeat, code in _FIELD.findall(codes):
        if code == "p":
            message = f"dtype {text!r}: no array has texts with their length before them; take values, or say s for p"
            raise ConfigurationError(message)
        times = 1 if code == "s" else int(repeat or 1)
        field = (repeat if code == "s" else "") + code
        before += "" if times else f"0{code}"  # which aligns
        for _ in range(times):
            before += field
            if code != "x":
                size = struct.calcsize(order + field)
                names.append(f"f{len(names)}")
                offsets.append(struct.calcsize(before) - size)
                formats.append(_dtype_text(order, code, size))
    return _numpy().dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": form.size})


def _dtype_text(order: str, code: str, size: int) -> str:
    if code in "sc":
        return f"S{size}"
    if code == "?":
        return "?"
    kind = "f" if code in "efd" else "i" if code in "bhilqn" else "c" if code in "FD" else "u"
    return f"{'>' if order in '>!' else '<' if order == '<' else '='}{kind}{size}"
