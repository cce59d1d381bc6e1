"""What the page says about scripted figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import scenes
from tests.support.waiting import let_pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.browser import Browser
    from tests.browser.fake import FakeTelemetry

    Serve = Callable[[Callable[[], dict[str, Any] | None]], FakeTelemetry]

# Contrast of a text against the first background behind it that can't be seen through, as WCAG reckons it.
CONTRAST = """
const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgb = (colour) => {
  context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const found = rgb(getComputedStyle(node).backgroundColor);
    if (found[3] === 255) return found;
  }
  return [255, 255, 255];
};
const poor = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  if (!own || !node.checkVisibility() || node.closest(".sr, .skip, noscript, svg")) continue;
  const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) poor.push(`${node.className || node.localName} ${node.textContent} ${ratio.toFixed(2)}`);
}
return poor;
"""


def is_live(browser: Browser) -> None:
    browser.until_says("#status-text", "Live")


def test_connecting_before_the_first_answer_then_live(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline()
    fake = serve(lambda: None)
    browser.open(fake.url)
    browser.until_says("#verdict-more", "503")
    assert browser.text("#status-text") == "Connecting…"
    assert browser.js("return document.querySelector('main').hidden")
    fake.scene = pipeline
    is_live(browser)


def test_no_actors_is_not_loading(browser: Browser, serve: Serve) -> None:
    fake = serve(lambda: scenes.graph([], []))
    browser.open(fake.url)
    is_live(browser)
    assert browser.text("#verdict-text") == "This graph has no actors."
    assert browser.texts("#graph .none:not([hidden])") == ["This graph has no actors."]
    assert browser.texts("main .none:not([hidden])").count("No channels.") == 1


def test_figures_move_and_nothing_else_does(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline()
    fake = serve(pipeline)
    browser.open(fake.url)
    is_live(browser)
    browser.until(lambda: pipeline.steps > 5, "five answers")
    browser.shifts()
    node = "return document.querySelector('.node')"
    kept = browser.js(node)
    seen = browser.text("#actor-table")
    browser.until(lambda: browser.text("#actor-table") != seen, "other figures")
    before = pipeline.steps
    browser.until(lambda: pipeline.steps > before + 20, "twenty answers more")
    assert browser.shifts() == []
    assert browser.js(node) == kept, "nodes are kept, not drawn anew"
    assert browser.logs() == []
    assert browser.strangers(fake.url) == []
    assert "as of " in browser.text("#as-of")


@pytest.mark.parametrize("full", [True, False])
def test_a_channel_that_fills_or_empties_moves_nothing(browser: Browser, serve: Serve, *, full: bool) -> None:
    pipeline = scenes.Pipeline(full=not full)
    browser.open(serve(pipeline).url)
    is_live(browser)
    browser.shifts()
    pipeline.full = full
    browser.until(lambda: browser.texts(".edge[data-alert=red] .edge-fill") == ["full"] * full, "the other state")
    before = pipeline.steps
    browser.until(lambda: pipeline.steps > before + 3, "three answers more")
    assert browser.shifts() == []


def test_a_full_channel_is_red_and_named(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline(full=True)
    browser.open(serve(pipeline).url)
    is_live(browser)
    assert browser.text("#verdict-text") == "generator→worker is full: worker is slower than generator"
    assert browser.text(".edge[data-alert=red] .edge-fill") == "full"
    label = browser.js("return document.querySelector('.edge[data-alert=red]').getAttribute('aria-label')")
    assert label == "Channel from generator to worker, full, 100/s, red alert"
    assert "full · red alert" in browser.text("#channel-table tr[data-alert=red]")
    assert "blocked by worker" in browser.text(".node[data-state=blocked]")
    tiles = browser.texts(".tile")
    assert any("100 %" in tile and "generator → worker" in tile for tile in tiles)
    assert any("1.3 s" in tile for tile in tiles), "the latency is said"
    browser.until(lambda: any("Falling behind" in t and "97 %" in t for t in browser.texts(".tile")), "falling behind")
    assert "red: average fill 100 % is above 90 %" in browser.text("#alerts")


def test_what_reads_alike_is_shown_as_often_as_it_is_there(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline(full=True)
    died = scenes.event("ActorDied", "worker died", level="warning", who="worker", at=1000.0)

    def scene() -> scenes.State:
        state = pipeline()
        alert = state["alerts"][0] | {"subject": "worker", "kind": "actor", "since": 1000.0}
        state["alerts"] = [alert | {"text": "load is above 90 %"}, alert | {"text": "memory is above 1 GiB"}]
        state["alerts"].append(alert | {"kind": "channel", "text": "filled is above 90 %"})  # it has the actor's name
        state["events"] += [died, died]
        return state

    browser.open(serve(scene).url)
    is_live(browser)
    browser.click(".node:nth-child(3)")
    assert browser.text("#detail-title") == "worker"
    facts = [text for text in browser.texts("#detail .detail-facts div") if "Alert (red)" in text]
    assert [("load" in text, "memory" in text) for text in facts] == [(True, False), (False, True)]
    assert len(browser.texts("#detail .detail-events li")) == 2
    assert sum("worker died" in text for text in browser.texts("#events li")) == 2


def test_an_alert_that_holds_is_said_once_and_keeps_its_row(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline()

    def scene() -> scenes.State:
        state = pipeline()
        alert = {"subject": "worker", "kind": "actor", "colour": "yellow", "since": 1000.0}
        state["alerts"] = [alert | {"text": f"worker: average load above 50 %, now 6{pipeline.steps % 10}.4 %"}]
        return state

    fake = serve(pipeline)
    browser.open(fake.url)
    is_live(browser)
    fake.scene = scene
    browser.until_says("#announce", "worker: average load above 50 %")
    assert ", now " not in browser.text("#announce")
    browser.js(
        "window.heard = [];"
        "const said = document.getElementById('announce');"
        "new MutationObserver(() => window.heard.push(said.textContent)).observe(said, { childList: true });"
    )
    row = browser.js("return document.querySelector('#alerts li')")
    figures, before = browser.text("#alerts"), pipeline.steps
    browser.until(lambda: pipeline.steps > before + 20, "twenty answers more")
    browser.until(lambda: browser.text("#alerts") != figures, "another figure")
    assert ", now 6" in browser.text("#verdict-text")
    assert browser.js("return window.heard") == []
    assert browser.js("return document.querySelector('#alerts li')") == row


def test_a_clock_that_is_set_back_begins_the_trend_anew(browser: Browser, serve: Serve) -> None:
    browser.open(serve(scenes.Pipeline()).url)
    is_live(browser)
    kept = browser.js("""
        const { Trend } = await import(new URL("model.js", document.querySelector("script[src]").src));
        const trend = new Trend();
        const looks = [...Array(100).keys()].map((n) => 10000 + n).concat([...Array(100).keys()]);
        return looks.map((as_of) => {
          const channels = [{ name: "c", sent: as_of % 10000 * 7, in_flight: 0, blocked_seconds: 0 }];
          trend.add({ run: { id: "r" }, as_of, channels });
          return [trend.samples.length, trend.sentRate("c")];
        });
    """)
    assert max(length for length, _ in kept) <= 12
    assert [kept[99], kept[100], kept[101], kept[199]] == [[11, 7], [1, None], [2, 7], [11, 7]]


def test_a_restart_is_told_with_time_and_cause(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline()
    browser.open(serve(pipeline).url)
    is_live(browser)
    assert "Nothing has been restarted." in browser.texts("#restarts .none:not([hidden])")
    browser.shifts()
    pipeline.die()
    browser.until_says("#restarts", "Cause: SIGKILL")
    assert "worker · 1 time" in browser.text("#restarts")
    assert "worker died in life 1 (SIGKILL)" in browser.text("#events li")
    assert browser.text("#restarts time") == browser.js(
        "return new Date(arguments[0] * 1000).toLocaleTimeString('en-GB')", pipeline.deaths[0]["time"]
    )
    assert "life 2" in browser.texts(".node-life")
    browser.until_says("#announce", "worker died in life 1 (SIGKILL)")
    assert browser.shifts() == []


def test_stale_when_nobody_answers_and_live_again_by_itself(browser: Browser, serve: Serve) -> None:
    fake = serve(scenes.Pipeline())
    browser.open(fake.url)
    is_live(browser)
    browser.shifts()
    browser.time_stale()
    fake.stop()
    assert browser.stale_after() <= 3.5, "three seconds, and the time to ask"
    assert browser.text("#verdict-more") == "Cause: the telemetry process does not answer. Trying again."
    assert browser.driver.title.startswith("STALE")
    browser.until_says("#announce", "STALE")
    assert browser.js("return document.getAnimations().every((a) => a.playState !== 'running')"), "nothing flows"
    fake.start()
    is_live(browser)
    assert browser.shifts() == []
    browser.logs()  # the browser itself notes each refused connection


def test_stale_when_the_figures_stop_moving(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline()
    fake = serve(pipeline)
    browser.open(fake.url)
    is_live(browser)
    frozen = pipeline()
    browser.time_stale()
    fake.scene = lambda: frozen
    assert browser.stale_after() <= 3.5
    assert "have stopped moving" in browser.text("#verdict-more")
    fake.scene = pipeline
    is_live(browser)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"live": False}, "the supervisor is gone"),
        ({"live": False, "phase": "stopped"}, "the run has ended"),
        ({"age": 60.0}, "have stopped moving"),
    ],
)
def test_never_live_on_the_word_of_an_old_answer(
    browser: Browser, serve: Serve, facts: dict[str, Any], why: str
) -> None:
    pipeline = scenes.Pipeline()
    browser.open(serve(lambda: pipeline() | facts).url)
    browser.until_says("#status-text", "STALE since ")
    assert why in browser.text("#verdict-more")


def test_hostile_names_are_inert(browser: Browser, serve: Serve) -> None:
    fake = serve(scenes.hostile)
    browser.open(fake.url)
    is_live(browser)
    nodes = ".node" if browser.text(".node") else ""
    for selector in (nodes, ".edge", "#actor-table button", "#channel-table button"):
        browser.js("document.querySelectorAll(arguments[0]).forEach((node) => node.click())", selector)
        assert not browser.js("return document.getElementById('detail').hidden")
    names = browser.texts(".node-name")
    assert names[:2] == scenes.HOSTILE[:2]
    assert names[2] == "'quotes\" & new⏎line"
    assert names[3] == "🦄 emoji → ünïcode <U+202E>right to left"
    assert browser.driver.title.startswith("<script>")
    assert browser.js("return document.querySelectorAll('main img, main script, aside img, aside script').length") == 0
    assert browser.logs() == []
    assert browser.strangers(fake.url) == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_scrolls_in_one_direction(browser: Browser, serve: Serve, width: int) -> None:
    pipeline = scenes.Pipeline(full=True)
    fake = serve(pipeline)
    browser.open(fake.url, width=width, height=800)
    is_live(browser)
    too_wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.js(too_wide) <= 0
    graph = "const g = document.getElementById('graph'); return g.scrollWidth - g.clientWidth"
    assert browser.js(graph) <= 0, "the pipeline fits"
    browser.click(".node:nth-child(3)")
    assert browser.text("#detail-title") == "worker"
    assert browser.js(too_wide) <= 0
    fake.scene = scenes.hostile
    browser.until(lambda: "emoji" in browser.text("#actor-table"), "the other graph")
    assert browser.js(too_wide) <= 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(browser: Browser, serve: Serve, theme: str) -> None:
    pipeline = scenes.Pipeline(full=True)
    pipeline.die()
    browser.open(serve(pipeline).url, theme=theme)
    is_live(browser)
    browser.click(".node:nth-child(3)")
    assert browser.js("return getComputedStyle(document.body).colorScheme") == "light dark"
    dark = browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(13, 15, 19)"
    assert dark == (theme == "dark")
    browser.until(lambda: browser.js(CONTRAST) == [], f"contrast of 4.5 everywhere: {browser.js(CONTRAST)}")


def test_the_theme_can_be_chosen_and_is_kept(browser: Browser, serve: Serve) -> None:
    background = "return getComputedStyle(document.body).backgroundColor"
    browser.open(serve(scenes.Pipeline()).url)
    is_live(browser)
    light = browser.js(background)
    browser.click("#theme")
    browser.click("#theme")
    assert browser.text("#theme-text") == "Dark"
    assert browser.js(background) != light
    browser.driver.refresh()
    is_live(browser)
    assert browser.text("#theme-text") == "Dark"
    assert browser.js(background) != light
    browser.click("#theme")
    assert browser.text("#theme-text") == "Auto"
    assert browser.js(background) == light


def test_edges_flow_unless_the_reader_wants_calm(browser: Browser, serve: Serve) -> None:
    fake = serve(scenes.Pipeline())
    flowing = (
        "return document.getAnimations().filter((a) => a.playState === 'running' "
        "&& a.effect.getTiming().iterations === Infinity).length"
    )
    browser.open(fake.url)
    is_live(browser)
    browser.until(lambda: browser.js(flowing) == 3, "three edges that flow")
    widths = browser.js(
        "return [...document.querySelectorAll('.line-base')].map((n) => parseFloat(n.style.strokeWidth))"
    )
    assert widths[0] < widths[1], "wider with traffic"
    browser.open(fake.url, calm=True)
    is_live(browser)
    assert browser.js(flowing) == 0


def test_a_large_graph_is_laid_out_without_a_crossing_of_nodes(browser: Browser, serve: Serve) -> None:
    browser.open(serve(scenes.large).url)
    is_live(browser)
    boxes = browser.js(
        "return [...document.querySelectorAll('.node')].map((n) => n.getBoundingClientRect())"
        ".map((b) => [b.left, b.top, b.right, b.bottom])"
    )
    assert len(boxes) == 36
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert len(browser.texts(".edge")) == 62
    assert browser.logs() == []


def test_what_is_not_known_is_no_figure_and_every_state_has_a_picture(browser: Browser, serve: Serve) -> None:
    """An actor in another container, at a breakpoint, and the first look at it."""
    far = scenes.actor("far", state="debugged", mcpu=None, rss=None, history={"load": [], "mcpu": []})
    browser.open(serve(lambda: scenes.graph([far], [], refresh=1.0)).url)
    is_live(browser)
    picture = "return document.querySelector(document.querySelector('.node use').getAttribute('href')) !== null"
    assert browser.js(picture)
    assert browser.texts("#actor-table tbody td.extra")[:2] == ["\u2013", "\u2013"]
    browser.click(".node")
    facts = [fact for fact in browser.texts("#detail .detail-facts div") if "mCPU" in fact]
    assert facts == ["mCPU (1024 = one core)\u2013"]
    assert browser.texts("#detail .chart .hint") == ["last 0 s", "last 0 s"]


def test_the_scene_may_change_while_it_is_looked_at(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline()
    fake = serve(pipeline)
    browser.open(fake.url)
    is_live(browser)
    browser.click(".edge")
    assert browser.text("#detail-title") == "heartbeat → worker"
    fake.scene = scenes.large
    browser.until(lambda: len(browser.texts(".node")) == 36, "the other graph")
    assert browser.texts("#detail .none:not([hidden])") == ["It is no longer part of the graph."]
    fake.scene = pipeline
    browser.until(lambda: len(browser.texts(".node")) == 4, "the first graph again")
    assert browser.logs() == []


def test_the_page_lasts(browser: Browser, serve: Serve) -> None:
    pipeline = scenes.Pipeline()
    browser.open(serve(pipeline).url)
    is_live(browser)
    browser.until(lambda: pipeline.steps > 3, "some answers")
    count = "return document.getElementsByTagName('*').length"
    before = browser.js(count)
    let_pass(2.0)
    assert browser.js(count) == before, "no element is added by an update"
