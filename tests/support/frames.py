"""A message whose bytes stay outside its pickle, as an array's do."""

from __future__ import annotations

import pickle
from typing import Any, Self


class Frame:
    """Bytes with a name. What was read-only stays read-only, and what could be changed can be."""

    def __init__(self, name: str, data: bytes | bytearray) -> None:
        self.name = name
        self.data = data

    @classmethod
    def restore(cls, name: str, data: bytes | bytearray) -> Self:
        return cls(name, data)

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return self.restore, (self.name, pickle.PickleBuffer(self.data))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return (self.name, type(self.data), self.data) == (other.name, type(other.data), other.data)

    __hash__ = None  # type: ignore[assignment] # its data may change

    def __repr__(self) -> str:
        return f"Frame({self.name!r}, {type(self.data).__name__} of {len(self.data)})"
