"""What a suite has to know about a kind of channel, and what it may know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.errors import NotPicklable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.endpoints import Rx
    from steady_mp.errors import ChannelError
    from steady_mp.testing.conformance.link import Link, MakeLink


class Kind:
    """The hooks of a suite. `make` and `values` must be overridden; the others say what more a kind can do.

    A test about something that a kind can't do is skipped, and says so.
    """

    @pytest.fixture
    def make(self) -> MakeLink:
        """Return what makes a link of this kind."""
        message = f"{type(self).__name__} must override the fixture `make`: what makes a Link of its kind of channel"
        raise NotImplementedError(message)

    def values(self, count: int) -> list[Any]:
        """Return `count` small values for the channel, no two of them equal, none of them None."""
        message = f"{type(self).__name__} must override `values`: small values that its kind of channel carries"
        raise NotImplementedError(message)

    def plain(self, value: Any) -> Any:
        """Return a value as something that `==` compares; for a row of numpy, for example, a list."""
        return value

    def changing(self) -> Sequence[tuple[Any, Callable[[], object]]]:
        """Return values that can be changed in place, each with what changes it."""
        return ()

    def unfit(self) -> Sequence[Any]:
        """Return values that `send` must refuse, with the error `refusal`."""
        return ()

    #: What `send` raises for a value that it can't carry.
    refusal: type[ChannelError] = NotPicklable

    def peeked(self, rx: Rx[Any], count: int) -> list[Any]:
        """Return what `peek_slice` shows, as values of their own."""
        return list(rx.peek_slice(count))

    def bulky(self, size: int) -> Any:  # noqa: ARG002 - for who overrides it
        """Return a value that takes `size` bytes or a little more; None where all take the same."""
        return None

    # For the tests

    def all_plain(self, values: Sequence[Any]) -> list[Any]:
        """Return `values` as something that `==` compares."""
        return [self.plain(value) for value in values]

    def must_be_bulky(self, size: int) -> Any:
        """Return a bulky value, or skip the test."""
        value = self.bulky(size)
        if value is None:
            pytest.skip("this kind of channel carries values of one size")
        return value


def fill(link: Link, values: Sequence[Any]) -> None:
    """Fill the channel with the first of `values`, and commit."""
    link.send(values[: link.tx().vacant()])
