"""The visitor: a connection to the server, for one answer; until it has asked, it has to make room for others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from waitress.channel import HTTPChannel

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from waitress.adjustments import Adjustments
    from waitress.server import BaseWSGIServer

#: Connections that are held; behind that each new one ends the oldest of those that wait for nothing of ours.
MOST: Final = 100


class Visitor(HTTPChannel):
    """A connection.

    waitress itself only stops to accept when there are too many: then whoever holds that many, and sends nothing, or
    never reads, keeps everybody else out. The oldest goes rather than the one that was silent for the longest: a byte
    now and then costs nothing, and who really asks has done so before a hundred others have come behind it.
    """

    def __init__(
        self,
        server: BaseWSGIServer,
        sock: socket.socket,
        addr: object,
        adj: Adjustments,
        map: Mapping[int, socket.socket] | None = None,  # noqa: A002 - waitress's name
    ) -> None:
        """Come in, if need be in the place of another one."""
        held = cast("Mapping[int, HTTPChannel]", server.active_channels)
        if len(held) >= MOST:
            idle = next((each for each in held.values() if not each.requests), None)
            if idle is not None:
                idle.handle_close()
        super().__init__(server, sock, addr, adj, map)

    def service(self) -> None:
        """Answer, and hang up.

        Requests in a row would pile their answers up for who does not read them, until each thread waits for that.
        """
        cast("dict[str, str]", self.requests[0].headers)["CONNECTION"] = "close"
        super().service()
