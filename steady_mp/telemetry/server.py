"""The routes, under Flask: read-only, and closed to what other pages and other machines might ask."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from steady_mp.telemetry.service import Service

COOKIE: Final = "steady-mp-token"
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_READING: Final = {"GET", "HEAD"}
_TEXT: Final = "text/plain; charset=utf-8"
_METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"


def hostname(host: str) -> str:
    """Return the name in a Host header without its port; empty for what is none."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name.lower() if bracket and (not rest or rest.startswith(":")) else ""
    name, colon, port = host.partition(":")
    return name.lower() if not colon or port.isdigit() else ""


def cookie_name(host: str) -> str:
    """Return the cookie that belongs to a Host header: a browser hands a host's cookies to all of its ports."""
    port = host.rpartition(":")[2]
    return f"{COOKIE}-{port}" if port.isdecimal() else COOKIE


class Guard:
    """Decides who is answered.

    A page of somebody else's can make a browser ask any address, also this machine's, under a name of
    that page's choice (DNS rebinding): then the Host is a name that we do not have. An address in
    digits can't be bound to anything else, so those are always fine.
    """

    def __init__(self, host: str, token: str | None) -> None:
        """Answer for `host`; with a `token`, only those who know it."""
        self._names = {"localhost", host.strip("[]").lower()}
        if token is not None:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self._token = token

    def is_ours(self, host: str) -> bool:
        """Tell whether a Host names this server."""
        name = hostname(host)
        if name in self._names:
            return bool(name)
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def knows_token(self, given: str | None) -> bool:
        """Tell whether a token is the right one, in a time that says nothing about it."""
        return self._token is None or hmac.compare_digest((given or "").encode(), self._token.encode())

    def refusal(self) -> tuple[str, HTTPStatus] | None:
        """Return why the request at hand is not answered; None when it is."""
        if request.method not in _READING:
            return "only GET is answered here", HTTPStatus.METHOD_NOT_ALLOWED
        host = request.environ.get("HTTP_HOST", "")
        if not self.is_ours(host):
            return "this server does not go by that name", HTTPStatus.FORBIDDEN
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != host:
            return "pages of other sites are not answered", HTTPStatus.FORBIDDEN
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(cookie_name(host))
        if not self.knows_token(given) and not self.is_login:
            return "a token is needed: open /?token=…, or send Authorization: Bearer …", HTTPStatus.UNAUTHORIZED
        return None

    @property
    def is_login(self) -> bool:
        """Tell whether the request at hand brings the token in the address of the page."""
        given = request.args.get("token")
        return self._token is not None and request.path == "/" and given is not None and self.knows_token(given)


def make_app(service: Service, *, host: str, token: str | None) -> Flask:
    """Make the application that answers for `service`."""
    app = Flask(__name__)
    guard = Guard(host, token)

    @app.before_request
    def check() -> AnyResponse | None:
        refusal = guard.refusal()
        if refusal is None:
            return None
        text, status = refusal
        response = Response(text + "\n", status, mimetype="text/plain")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["Allow"] = "GET, HEAD"
        if status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    @app.errorhandler(HTTPException)
    def fail(error: HTTPException) -> Response:
        return Response(f"{error.name}\n", error.code or HTTPStatus.BAD_REQUEST, mimetype="text/plain")

    _add_routes(app, service, guard, token)
    return app


def _add_routes(app: Flask, service: Service, guard: Guard, token: str | None) -> None:
    @app.get("/")
    def page() -> AnyResponse:
        if guard.is_login:
            # Out of the address line, and of whatever keeps addresses; a script can't read the cookie.
            response = redirect("/")
            name = cookie_name(request.environ.get("HTTP_HOST", ""))
            response.set_cookie(name, token or "", httponly=True, samesite="Strict")
            return response
        return Response(render_template("index.html"), mimetype="text/html")

    @app.get("/api/state")
    def state() -> Response:
        return Response(service.state(), mimetype="application/json")

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(service.metrics(), content_type=_METRICS)

    @app.get("/graph.dot")
    def dot() -> Response:
        return Response(service.dot(), content_type="text/vnd.graphviz; charset=utf-8")

    @app.get("/graph.svg")
    def svg() -> Response:
        return Response(service.svg(), mimetype="image/svg+xml")

    @app.get("/livez")
    def live() -> Response:
        if service.is_live:
            return Response("ok\n", content_type=_TEXT)
        return Response("the supervisor is gone\n", HTTPStatus.SERVICE_UNAVAILABLE, content_type=_TEXT)

    @app.get("/readyz")
    def ready() -> Response:
        reasons = service.not_ready()
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return Response("\n".join(reasons or ["ok"]) + "\n", status, content_type=_TEXT)
