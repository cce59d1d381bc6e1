"""Dataclasses whose instances hold other things than their fields read as: nothing of them is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from steady_mp.state import StateBook, decode


@dataclass
class Later:
    """Its second field is read from the class until it is set, and one attribute is no field."""

    limit: int = 3
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.origin = 17


@dataclass(init=False)
class Own:
    """It makes itself, and leaves a field to its class."""

    x: int = 0
    y: int = 0

    def __init__(self) -> None:
        self.y, self.extra = 2, 5


@dataclass
class Base:
    x: int = 0
    y: int = 0


class Heir(Base):
    """A class that is no dataclass itself, and makes itself."""

    def __init__(self) -> None:
        self.y, self.extra = 2, 5


class Rounded:
    """A field that is read otherwise than it is kept."""

    def __get__(self, holder: Any, _: type | None = None) -> float:
        return 0.0 if holder is None else round(holder.exactly, 1)

    def __set__(self, holder: Any, value: float) -> None:
        holder.exactly = value


@dataclass
class Purse:
    euros: float = Rounded()  # type: ignore[assignment]


def saved(value: object) -> Any:
    book = StateBook()
    book.acquire(0, lambda: value)
    snapshot = book.encode()
    assert snapshot is not None
    return decode(snapshot)[0]


@pytest.mark.parametrize("make", [Later, Own, Heir])
def test_an_attribute_beside_the_fields_survives_where_a_field_is_its_classs_default(make: type) -> None:
    value = make()
    assert vars(saved(value)) == vars(value)


def test_a_field_that_a_descriptor_shows_is_saved_as_it_is_kept() -> None:
    assert saved(Purse(euros=1.26)).exactly == 1.26
