"""A telemetry process that is none: the real page, with scripted figures behind it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import steady_mp

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(steady_mp.__file__).parent / "telemetry"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class FakeTelemetry:
    """Serves the page; `scene` is called for every answer, and None stands for "not able to answer"."""

    def __init__(self, scene: Callable[[], dict[str, Any] | None]) -> None:
        self.scene = scene
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Listen; after a `stop` on the same port again, as a restarted process does."""
        fake = self

        class Handler(_Handler):
            telemetry = fake

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = self._thread = None


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    allow_reuse_address = True


class _Handler(BaseHTTPRequestHandler):
    telemetry: FakeTelemetry

    def do_GET(self) -> None:  # the name is the base class's
        path = urlsplit(self.path).path
        if path == "/api/state":
            state = self.telemetry.scene()
            self._answer(200 if state else 503, "application/json", json.dumps(state).encode())
            return
        file = ROOT / ("templates/index.html" if path == "/" else path.lstrip("/"))
        if file.is_file() and file.suffix in TYPES:
            self._answer(200, TYPES[file.suffix], file.read_bytes())
        else:
            self._answer(404, "text/plain", b"not found")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Say nothing."""
