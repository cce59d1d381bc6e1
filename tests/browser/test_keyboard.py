"""The page without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selenium.webdriver.common.keys import Keys

from tests.browser import scenes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.browser import Browser
    from tests.browser.fake import FakeTelemetry

    Serve = Callable[[Callable[[], dict[str, Any] | None]], FakeTelemetry]

FOCUS = "const a = document.activeElement; return a.getAttribute('aria-label') || a.textContent.trim() || a.id"


def open_page(browser: Browser, serve: Serve) -> None:
    browser.open(serve(scenes.Pipeline(full=True)).url)
    browser.until_says("#status-text", "Live")


def tab_to(browser: Browser, start: str) -> str:
    """Press Tab until what has the focus begins with `start`."""
    for _ in range(60):
        browser.press(Keys.TAB)
        focus = str(browser.js(FOCUS))
        if focus.startswith(start):
            return focus
    message = f"Tab does not come to {start!r}"
    raise AssertionError(message)


def test_the_first_key_offers_to_skip_the_graph(browser: Browser, serve: Serve) -> None:
    open_page(browser, serve)
    browser.press(Keys.TAB)
    assert browser.js(FOCUS) == "Skip to the tables"
    browser.press(Keys.ENTER)
    tab_to(browser, "heartbeat")
    assert browser.js("return document.activeElement.closest('table')?.id") == "actor-table"


def test_focus_is_seen_everywhere(browser: Browser, serve: Serve) -> None:
    open_page(browser, serve)
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    seen = set()
    for _ in range(30):
        browser.press(Keys.TAB)
        if browser.js("return document.activeElement === document.body"):
            break
        seen.add(browser.js(FOCUS))
        assert browser.js(outline) == "solid", browser.js(FOCUS)
    assert len(seen) > 20


def test_enter_opens_the_detail_and_escape_goes_back(browser: Browser, serve: Serve) -> None:
    open_page(browser, serve)
    here = tab_to(browser, "Actor worker")
    browser.press(Keys.ENTER)
    assert browser.text("#detail-title") == "worker"
    assert browser.js(FOCUS) == "worker"
    assert browser.js("return document.querySelector('.node[aria-expanded=true] .node-name').textContent") == "worker"
    browser.press(Keys.ESCAPE)
    assert browser.js("return document.getElementById('detail').hidden")
    assert str(browser.js(FOCUS)).split(", load")[0] == here.split(", load")[0]


def test_the_panel_does_not_hold_the_focus(browser: Browser, serve: Serve) -> None:
    open_page(browser, serve)
    tab_to(browser, "Channel from generator to worker")
    browser.press(Keys.ENTER)
    assert browser.text("#detail-title") == "generator → worker"
    assert "Oldest message" in browser.text("#detail")
    assert tab_to(browser, "Close the details")
    tab_to(browser, "toworker")
    browser.press(Keys.ENTER)
    assert browser.text("#detail-title") == "worker"
    browser.press(Keys.ESCAPE)
    assert str(browser.js(FOCUS)).startswith("Channel from generator to worker")


def test_arrows_walk_through_the_graph(browser: Browser, serve: Serve) -> None:
    open_page(browser, serve)
    tab_to(browser, "Actor generator")
    walked = []
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT):
        browser.press(key)
        walked.append(str(browser.js(FOCUS)).split(",")[0])
    assert walked == [
        "Channel from generator to worker",
        "Actor worker",
        "Channel from worker to logger",
        "Actor logger",
    ]


def test_a_row_of_a_table_opens_too(browser: Browser, serve: Serve) -> None:
    open_page(browser, serve)
    browser.click("#channel-table tbody tr:nth-child(3) td:nth-child(4)")
    assert browser.text("#detail-title") == "worker → logger"
    browser.press(Keys.ESCAPE)
    tab_to(browser, "Skip")
    tab_to(browser, "logger")
    browser.press(Keys.ENTER)
    assert browser.text("#detail-title") == "logger"
    assert browser.js("return document.querySelector('#actor-table [data-chosen] .row-title').textContent") == "logger"
