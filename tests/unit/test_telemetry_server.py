from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steady_mp import ConfigurationError, Telemetry
from steady_mp.events import ShutdownRequested
from steady_mp.serving import is_loopback, listen, url_of
from steady_mp.telemetry.server import COOKIE, hostname, make_app
from steady_mp.telemetry.service import Service
from steady_mp.telemetry.svg import render
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

TOKEN = "correct horse battery"  # noqa: S105 - of this test
ROUTES = ["/", "/api/state", "/metrics", "/graph.dot", "/graph.svg", "/livez", "/readyz"]
HEADERS = {
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Cache-Control",
}


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """See test_drawing.py."""
    render("digraph {}")


class Site:
    """A service of a simulated run, sampled by hand, and its clients."""

    def __init__(self) -> None:
        self.run = Simulated(("heartbeat", "worker"))
        for actor in (0, 1):
            self.run.begin(actor)
        self.service = Service(self.run.sampler, lambda _event: None, lambda: self.run.now)
        self.look()

    def look(self) -> None:
        self.run.now += 0.5
        self.service.refresh()

    def client(self, *, host: str = "127.0.0.1", token: str | None = None) -> FlaskClient:
        return make_app(self.service, host=host, token=token).test_client()


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()
    yield found
    found.run.close()


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_answers_with_its_headers(site: Site, route: str) -> None:
    answer = site.client().get(route)
    assert answer.status_code == 200
    assert set(answer.headers.keys()) >= HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
@pytest.mark.parametrize("route", ["/", "/api/state", "/nowhere", "/static/app.js"])
def test_only_reading(site: Site, method: str, route: str) -> None:
    answer = site.client().open(route, method=method, data=b"x")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def ask(client: FlaskClient, **headers: str) -> TestResponse:
    return client.get("/api/state", headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9900", 200),
        ("localhost:8080", 200),  # forwarded
        ("LOCALHOST", 200),
        ("[::1]:9900", 200),
        ("192.168.1.7:9900", 200),  # an address can't be bound to anything else
        ("evil.example", 403),
        ("evil.example:9900", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:9900", 403),
        ("localhost:9900@evil.example", 403),
        ("localhost:x", 403),
        ("", 403),
        ("[::1", 403),
        ("a" * 5000, 403),
        ("127.0.0.1:9900, evil.example", 403),
    ],
)
def test_names_that_we_do_not_have_are_refused(site: Site, host: str, status: int) -> None:
    assert ask(site.client(), Host=host).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:9900", 200),
        ("http://127.0.0.1:9901", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_pages_of_other_sites_are_refused(site: Site, origin: str, status: int) -> None:
    assert ask(site.client(), Host="127.0.0.1:9900", Origin=origin).status_code == status


def test_a_token_is_asked_of_everybody(site: Site) -> None:
    client = site.client(host="0.0.0.0", token=TOKEN)  # noqa: S104 - not bound
    for route in [*ROUTES, "/static/style.css", "/nowhere"]:
        answer = client.get(route)
        assert answer.status_code == 401, route
        assert b"heartbeat" not in answer.data
    assert ask(client, Authorization=f"Bearer {TOKEN}").status_code == 200
    assert ask(client, Authorization=f"bearer {TOKEN}").status_code == 200
    assert ask(client, Authorization=f"Bearer {TOKEN[:-1]}").status_code == 401
    assert ask(client, Authorization="Bearer ünïcödé").status_code == 401
    assert ask(client, Authorization=f"Basic {TOKEN}").status_code == 401
    assert client.get("/api/state", query_string={"token": TOKEN}).status_code == 401  # in the address: the page only


def test_the_page_turns_the_token_into_a_cookie(site: Site) -> None:
    client = site.client(token=TOKEN)
    assert client.get("/", query_string={"token": "wrong"}).status_code == 401
    answer = client.get("/", query_string={"token": TOKEN})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    for route in ROUTES:
        assert client.get(route).status_code == 200


def test_two_runs_on_one_host_keep_their_tokens_apart(site: Site) -> None:
    first = site.client(token=TOKEN)
    first.get("/", query_string={"token": TOKEN}, base_url="http://localhost:9900")
    second = make_app(site.service, host="127.0.0.1", token="another").test_client()  # noqa: S106 - of this test
    answer = second.get("/", query_string={"token": "another"}, base_url="http://localhost:9901")
    name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    first.set_cookie(name, value, domain="localhost")  # a browser has one jar for all ports of a host
    assert first.get("/api/state", base_url="http://localhost:9900").status_code == 200
    assert second.get("/api/state", base_url="http://localhost:9901").status_code == 200


def test_ready_says_who_is_not(site: Site) -> None:
    client = site.client()
    assert client.get("/readyz").data == b"ok\n"
    site.run.die(1)
    site.look()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.data) == (503, b"worker is restarting\n")
    site.run.record(ShutdownRequested(reason="enough", seconds=1))
    site.look()
    assert client.get("/readyz").data == b"the graph is draining\nworker is restarting\n"
    assert client.get("/livez").status_code == 200


def test_old_data_is_not_live(site: Site) -> None:
    client = site.client()
    assert json.loads(client.get("/api/state").data)["live"] is True
    site.run.now += 5
    state = json.loads(client.get("/api/state").data)
    assert (state["live"], state["age"]) == (False, 5.0)
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 503


def test_the_state_has_what_is_documented(site: Site) -> None:
    state = json.loads(site.client().get("/api/state").data)
    assert list(state) == [
        *("age", "live", "graph", "as_of", "phase", "started", "uptime", "window", "span", "refresh", "run"),
        *("summary", "ready", "not_ready", "actors", "channels", "alerts", "events"),
    ]
    assert state["actors"][0]["name"] == "heartbeat"
    assert state["channels"][0]["filled"] == {"now": 0, "avg": 0, "p80": 0, "max": 0}


#: The site that all the requests below go to: a thousand directories would take longer than they.
SHARED: list[Site] = []
NASTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "..",
            "/etc/passwd",
            "%2e%2e%2f" * 5,
            "\\..\\",
            "static/../../server.py",
            "\x00",
            "%00",
            "%ff%fe",
            "//",
            "?a=b",
        ]
    ),
)


@settings(max_examples=300)
@given(
    st.sampled_from(["", "/", "/static/", "/api/", "/static/../", "/static//"]),
    st.lists(NASTY, max_size=4),
    st.dictionaries(st.sampled_from(["Host", "Origin", "Cookie", "Authorization", "Range", "Accept", "X-A"]), NASTY),
    st.sampled_from(["GET", "HEAD", "POST", "get", "\u00e9"]),
)
def test_no_request_makes_it_fail_or_leak(start: str, parts: list[str], headers: dict[str, str], method: str) -> None:
    try:
        with_headers = {name: value.encode("latin-1").decode("latin-1") for name, value in headers.items()}
        if any(set(value) & set("\r\n") for value in with_headers.values()):
            return  # no server hands such a header over
    except UnicodeEncodeError:
        return
    client = SHARED[0].client(token=TOKEN if len(parts) % 2 else None)
    answer = client.open("/" + (start + "/".join(parts)).lstrip("/"), method=method, headers=with_headers)
    assert answer.status_code < 500
    for secret in (b"Traceback", b"root:", b"import ", TOKEN.encode(), b"site-packages"):
        if not answer.headers.get("Content-Type", "").startswith(("text/javascript", "text/html")):
            assert secret not in answer.data


@pytest.fixture(scope="module", autouse=True)
def _shared() -> Iterator[None]:
    SHARED.append(Site())
    yield
    SHARED.pop().run.close()


@pytest.mark.parametrize(
    ("host", "name"),
    [("localhost:1", "localhost"), ("[::1]:80", "::1"), ("[::1]x", ""), ("a:b", ""), ("A", "a"), ("", "")],
)
def test_the_name_in_a_host(host: str, name: str) -> None:
    assert hostname(host) == name


def test_what_is_open_to_everybody_needs_a_token() -> None:
    with pytest.raises(ConfigurationError, match="set a token"):
        Telemetry(host="0.0.0.0")  # noqa: S104 - refused
    with pytest.raises(ConfigurationError, match="at least 8"):
        Telemetry(host="0.0.0.0", token="short")  # noqa: S104, S106
    with pytest.raises(ConfigurationError, match="0 to 65535"):
        Telemetry(port=70_000)
    for wrong, message in (
        ({"port": "9900"}, "port '9900': must be from 0 to 65535"),
        ({"port": True}, "port True: must be from 0 to 65535"),
        ({"token": 12345678}, "token: must have at least 8 printable ASCII"),
        ({"host": None}, "host None: must be a name or an address"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            Telemetry(**cast("dict[str, Any]", wrong))
    assert Telemetry(host="0.0.0.0", token=TOKEN).port is None  # noqa: S104 - not bound
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "example.org", "")))  # noqa: S104


def test_a_port_that_was_asked_for_is_never_changed() -> None:
    taken, note = listen(Telemetry(port=0))
    assert not note
    port = taken.getsockname()[1]
    try:
        with pytest.raises(ConfigurationError, match=f"port {port} on 127.0.0.1 is in use"):
            listen(Telemetry(port=port))
        assert url_of(taken, "127.0.0.1") == f"http://127.0.0.1:{port}/"
    finally:
        taken.close()
    with pytest.raises(ConfigurationError, match="can't be opened"):
        listen(Telemetry(host="192.0.2.1", port=0, token=TOKEN))


@pytest.mark.parametrize("host", ["127.0.0..1", ".local", "x" * 64, "a\0b"])
def test_a_host_that_is_no_name_is_refused_in_a_line(host: str) -> None:
    with pytest.raises(ConfigurationError, match="can't be opened for telemetry: "):
        listen(Telemetry(host=host, port=0, token=TOKEN))


def test_a_port_that_was_not_asked_for_is_the_next_one_free() -> None:
    first, _ = listen(Telemetry())
    second, note = listen(Telemetry())
    try:
        assert second.getsockname()[1] > first.getsockname()[1] >= 9900
        assert note == "port 9900 is in use"
    finally:
        first.close()
        second.close()


def test_a_run_that_is_over_is_not_supervised_though_its_program_lives_on(site: Site) -> None:
    supervised = [site.service.is_supervised]
    (site.run.run.path / "status.json").unlink()  # the directory goes with the run, this process does not
    site.look()
    supervised.append(site.service.is_supervised)
    assert supervised == [True, False]
    assert not site.service.is_live
    assert site.service.not_ready()[0] == "the supervisor is gone"
