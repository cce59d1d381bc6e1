// Wires the page: one poller, and views that draw what it gives.
import { byId, el, icon, reconcile, setAttribute, setText } from "./dom.js";
import { Detail } from "./detail.js";
import { Feed } from "./feed.js";
import * as format from "./format.js";
import { Glance } from "./glance.js";
import { GraphView } from "./graph.js";
import { Trend } from "./model.js";
import { Poller } from "./poller.js";
import { Tables } from "./tables.js";

const ANNOUNCE_MS = 1500;
const STATUS_ICONS = { live: "live", connecting: "idle", stale: "stale" };
const ALARMS = /Died|GivenUp|Refused|Shutdown|Stopped/;

class Page {
  constructor() {
    const onSelect = (kind, name, opener) => this.select(kind, name, opener);
    this.trend = new Trend();
    this.verdict = { status: "connecting", why: "", since: null };
    this.glance = new Glance(byId("glance"), onSelect);
    this.graph = new GraphView(byId("graph"), onSelect);
    this.tables = new Tables(byId("actor-table"), byId("channel-table"), onSelect, this.trend);
    this.feed = new Feed({ alerts: byId("alerts"), restarts: byId("restarts"), events: byId("events") });
    this.detail = new Detail(byId("detail"), { onSelect, onClose: () => this.deselect() });
    this.facts = new Map();
    this.opener = null;
    this.said = [];
    this.saidEvent = null;
    this.sentence = "";
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.detail.chosen) this.deselect();
    });
    this.poller = new Poller({
      onState: (state) => this.onState(state),
      onStatus: (verdict) => this.onStatus(verdict),
    });
    this.poller.start();
  }

  onState(state) {
    this.state = state;
    this.trend.add(state);
    byId("main").hidden = false;
    setText(byId("graph-name"), state.graph);
    setText(byId("phase"), state.phase === "running" ? "" : state.phase);
    setText(byId("as-of"), `as of ${format.time(state.as_of)}`);
    setText(byId("n-actors"), format.plural(state.actors.length, "actor"));
    setText(byId("n-channels"), format.plural(state.channels.length, "channel"));
    setText(byId("n-alerts"), state.alerts.length ? String(state.alerts.length) : "");
    this.glance.update(state, this.trend);
    this.graph.update(state);
    this.tables.update(state);
    this.feed.update(state);
    this.detail.update(state);
    this.showFacts(state);
    this.judge();
    this.announceEvents(state);
  }

  onStatus(verdict) {
    this.verdict = verdict;
    const { status, since } = verdict;
    const words = { live: "Live", connecting: "Connecting…", stale: `STALE since ${format.time(since)}` }[status];
    setAttribute(byId("status"), "data-status", status);
    setAttribute(document.body, "data-status", status);
    if (byId("status-text").textContent !== words) {
      // A new badge, since a longer one that grew out of the old would be a shift of the layout.
      const text = el("span", "", words);
      text.id = "status-text";
      byId("status").replaceChildren(el("span", "", icon(STATUS_ICONS[status]), text));
      this.announce(words);
    }
    this.graph.freeze(status !== "live");
    this.judge();
  }

  judge() {
    const sentence = this.glance.judge(this.state, this.trend, this.verdict);
    if (sentence !== this.sentence && this.verdict.status === "live") this.announce(sentence);
    this.sentence = sentence;
    const name = this.state?.graph ?? "steady-mp";
    const prefix = { live: "", connecting: "… ", stale: "STALE · " }[this.verdict.status];
    const title = `${prefix}${name} · steady-mp`;
    if (document.title !== title) document.title = title;
  }

  showFacts(state) {
    const run = state.run ?? {};
    const facts = [
      ["Started", format.time(state.started)],
      ["Up", format.duration(Math.floor(state.uptime))],
      ["Window", format.duration(state.window)],
      ["Run", run.id],
      ["Supervisor", run.pid === undefined ? "–" : `process ${run.pid}`],
      ["Shared memory", format.bytes(run.directory_bytes)],
      ["Version", run.version],
    ];
    reconcile(byId("facts"), this.facts, facts, ([label]) => label, ([label]) => {
      const value = el("dd");
      return { node: el("div", "", el("dt", "", label), value), update: ([, text]) => setText(value, String(text ?? "–")) };
    });
  }

  select(kind, name, opener) {
    if (opener) this.opener = opener;
    setAttribute(document.body, "data-detail", "");
    this.detail.open(kind, name, this.state);
    this.graph.select(kind, name);
    this.tables.select(kind, name);
  }

  deselect() {
    const back = this.detail.panel.contains(document.activeElement);
    setAttribute(document.body, "data-detail", null);
    this.detail.close();
    this.graph.select(null, null);
    this.tables.select(null, null);
    if (back) this.opener?.focus();
  }

  // Only what somebody must know is said aloud, and not more often than it can be heard.
  announceEvents(state) {
    const alarms = state.events.filter((event) => ALARMS.test(event.kind) || event.level === "error");
    const newest = alarms.at(-1);
    if (this.saidEvent !== null && newest && newest.time > this.saidEvent) this.announce(newest.text);
    this.saidEvent = newest?.time ?? this.saidEvent ?? 0;
  }

  announce(text) {
    this.said.push(text);
    if (this.speaking) return;
    this.speaking = setTimeout(() => {
      this.speaking = 0;
      setText(byId("announce"), this.said.join(". "));
      this.said = [];
    }, ANNOUNCE_MS);
  }
}

new Page();
