// The side panel: everything about one actor or channel. It covers nothing modally; Esc closes it.
import { el, icon, reconcile, setAttribute, setIcon, setText } from "./dom.js";
import * as format from "./format.js";
import { causes, ownName, route, stateIcon, stateTone, stateWords } from "./model.js";
import { Spark } from "./spark.js";

const CHART = [320, 64];

function actorFacts(actor, now) {
  return [
    ["State", stateWords(actor)],
    ["Life", format.count(actor.generation)],
    ["Restarts", format.count(actor.restarts)],
    ["Causes", causes(actor.deaths) || "none"],
    ["Load", format.percent(actor.load)],
    ["mCPU (1024 = one core)", format.count(actor.mcpu)],
    ["Memory", format.bytes(actor.rss)],
    ["Messages in", format.count(actor.messages_in)],
    ["Messages out", format.count(actor.messages_out)],
    ["Turns", format.count(actor.turns)],
    ["Commits", format.count(actor.commits)],
    ["Snapshots written", format.bytes(actor.snapshot_bytes)],
    ["Time spent on snapshots", format.duration(actor.snapshot_seconds)],
    ...(actor.monitors ?? []).map((monitor) => [monitor.label, format.monitor(monitor)]),
    ...alertFacts("actor", actor, now),
  ];
}

function channelFacts(channel, now) {
  const { filled, latency } = channel;
  return [
    ["In flight", `${format.count(channel.in_flight)} of ${format.count(channel.capacity)}`],
    ["Filled now", format.percent(filled.now)],
    ["Filled, average", format.percent(filled.avg)],
    ["Filled, 80th percentile", format.percent(filled.p80)],
    ["Filled, most", format.percent(filled.max)],
    ["Rate", format.rate(channel.rate)],
    ["Sent", format.count(channel.sent)],
    ["Taken", format.count(channel.taken)],
    ["Latency, average", format.duration(latency?.avg)],
    ["Latency, 80th percentile", format.duration(latency?.p80)],
    ["Oldest message", format.duration(channel.oldest_age)],
    ["Bytes in the ring", `${format.bytes(channel.bytes)} of ${format.bytes(channel.ring_bytes)}`],
    ["Producer waited for room", format.duration(channel.blocked_seconds)],
    ...(channel.monitors ?? []).map((monitor) => [monitor.label, format.monitor(monitor)]),
    ...alertFacts("channel", channel, now),
  ];
}

// An actor and a channel may have the same name.
function alertFacts(kind, { name }, state) {
  return state.alerts
    .filter((alert) => alert.kind === kind && alert.subject === name)
    .map((alert) => [`Alert (${alert.colour})`, `${alert.text}, since ${format.time(alert.since)}`]);
}

function neighbours(kind, item, state) {
  if (kind === "channel") return [["actor", item.from, "from"], ["actor", item.to, "to"]];
  const mine = state.channels.filter((one) => one.from === item.name || one.to === item.name);
  return mine.map((one) => ["channel", one.name, one.to === item.name ? "in" : "out", ownName(one) || route(one)]);
}

export class Detail {
  constructor(panel, { onSelect, onClose }) {
    this.panel = panel;
    this.onSelect = onSelect;
    this.chosen = null;
    const shut = el("button", "ghost square", icon("close"));
    shut.type = "button";
    shut.setAttribute("aria-label", "Close the details");
    shut.addEventListener("click", onClose);
    this.face = icon("info");
    this.kind = el("p", "detail-kind");
    this.title = el("h2", "detail-title");
    this.title.id = "detail-title";
    this.title.tabIndex = -1;
    this.gone = el("p", "none", "It is no longer part of the graph.");
    this.charts = [0, 1].map(() => this.createChart());
    this.facts = el("dl", "detail-facts");
    this.links = el("ul", "detail-links");
    this.events = el("ol", "detail-events");
    const happened = el("section", "", el("h3", "", "Events"), this.events);
    const beside = el("section", "", el("h3", "", "Connected"), this.links);
    this.happened = happened;
    panel.append(
      el("div", "detail-head", this.face, el("div", "", this.kind, this.title), shut),
      el("div", "detail-body", this.gone, ...this.charts.map(({ node }) => node), this.facts, beside, happened),
    );
    this.factViews = new Map();
    this.linkViews = new Map();
    this.eventViews = new Map();
  }

  createChart() {
    const spark = new Spark(...CHART, "");
    const title = el("span");
    const span = el("span", "hint");
    const top = el("span", "chart-top");
    const node = el("figure", "chart", el("figcaption", "", title, span), el("div", "chart-box", spark.node, top));
    return { node, spark, title, span, top };
  }

  open(kind, name, state) {
    this.chosen = { kind, name };
    this.panel.hidden = false;
    this.update(state);
    this.panel.scrollTop = 0;
    this.title.focus({ preventScroll: true });
  }

  close() {
    this.chosen = null;
    this.panel.hidden = true;
  }

  update(state) {
    if (!this.chosen) return;
    const { kind, name } = this.chosen;
    const item = (kind === "actor" ? state.actors : state.channels).find((one) => one.name === name);
    this.gone.hidden = Boolean(item);
    setText(this.kind, kind === "actor" ? "Actor" : "Channel");
    setText(this.title, item && kind === "channel" ? ownName(item) || route(item) : name);
    if (!item) return;
    setIcon(this.face, kind === "actor" ? stateIcon(item) : (item.alert ?? "info"));
    setAttribute(this.panel, "data-tone", item.alert ?? (kind === "actor" ? stateTone(item) : "quiet"));
    this.draw(kind, item, state.refresh);
    this.list(kind, item, state);
  }

  draw(kind, item, refresh) {
    const lines =
      kind === "actor"
        ? [["Load", item.history?.load, 100, format.percent], ["mCPU", item.history?.mcpu, null, format.short]]
        : [["Filled", item.history?.filled, 100, format.percent], ["Rate", item.history?.rate, null, format.rate]];
    lines.forEach(([title, values, top, say], i) => {
      const chart = this.charts[i];
      const scale = chart.spark.draw(values, top);
      const span = format.duration(Math.round(Math.max(0, (values?.length ?? 0) - 1) * (refresh ?? 0.5)));
      setText(chart.title, `${title}: ${say(values?.at(-1))}`);
      setText(chart.span, `last ${span}`);
      setText(chart.top, say(scale));
      setAttribute(chart.spark.node, "aria-label", `History of ${title.toLowerCase()}, up to ${say(scale)}`);
    });
  }

  list(kind, item, state) {
    const facts = kind === "actor" ? actorFacts(item, state) : channelFacts(item, state);
    reconcile(this.facts, this.factViews, facts, ([label]) => label, ([label]) => {
      const value = el("dd");
      const node = el("div", "", el("dt", "", label), value);
      return { node, update: ([, text]) => setText(value, text) };
    });
    reconcile(this.links, this.linkViews, neighbours(kind, item, state), (one) => one.slice(0, 3).join("\n"), (one) => {
      const [target, name, role, shown] = one;
      const button = el("button", "link", el("span", "role", role), el("span", "", shown ?? name));
      button.type = "button";
      button.addEventListener("click", () => this.onSelect(target, name, null));
      return { node: el("li", "", button) };
    });
    const events = state.events.filter((event) => event.actor === item.name).slice(-12).reverse();
    this.happened.hidden = kind !== "actor" || !events.length;
    reconcile(this.events, this.eventViews, events, (event) => `${event.time} ${event.text}`, (event) => ({
      node: el("li", "", el("time", "", format.time(event.time)), el("span", "", event.text)),
    }));
  }
}
