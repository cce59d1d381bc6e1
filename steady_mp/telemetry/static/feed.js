// What happened: alerts that hold now, restarts by cause, and the events. Rows glide to their place by a transform,
// so a new one on top moves nothing in the layout.
import { el, icon, reconcile, setAttribute, setIcon, setStyle, setText } from "./dom.js";
import * as format from "./format.js";
import { lastOf, severity } from "./model.js";

const DEATH = /Died|Killed|GivenUp|Replayed/;
const SIGNS = { info: "info", warning: "orange", error: "red" };
const TONES = { info: null, warning: "orange", error: "red" };

class List {
  constructor(container, nothing, keyOf, fill) {
    this.views = new Map();
    this.keyOf = keyOf;
    this.fill = fill;
    this.rows = el("ol", "feed");
    this.empty = el("p", "none", nothing);
    container.append(this.rows, this.empty);
  }

  update(items) {
    this.empty.hidden = items.length > 0;
    this.rows.hidden = !this.empty.hidden;
    setStyle(this.rows, "height", `calc(var(--row) * ${items.length})`);
    const views = reconcile(this.rows, this.views, items, this.keyOf, () => this.create());
    views.forEach(({ node }, i) => setStyle(node, "transform", `translateY(calc(var(--row) * ${i}))`));
  }

  create() {
    const sign = icon("info");
    const time = el("time");
    const title = el("span", "feed-title");
    const text = el("span", "feed-text");
    const node = el("li", "", sign, el("span", "feed-body", title, text), time);
    const update = (item) => {
      const { tone, symbol, when, head, body } = this.fill(item);
      setIcon(sign, symbol);
      setAttribute(node, "data-alert", tone);
      setText(time, when);
      setText(title, head);
      setText(text, body);
      setAttribute(text, "title", body);
    };
    return { node, update };
  }
}

export function withoutSubject({ subject, text }) {
  return text.startsWith(`${subject}: `) ? text.slice(subject.length + 2) : text;
}

// What an alert says as long as it holds: without the figure at its end, which is another one at each look.
export function lasting(alert) {
  const text = withoutSubject(alert);
  const end = text.lastIndexOf(", now ");
  return end < 0 ? text : text.slice(0, end);
}

const alertKey = (alert) => [alert.kind, alert.subject, alert.colour, alert.since, lasting(alert)].join("\n");

export function restartsOf(state) {
  const found = [];
  for (const actor of state.actors) {
    const mine = state.events.filter((event) => event.actor === actor.name && DEATH.test(event.kind));
    for (const [cause, times] of Object.entries(actor.deaths ?? {})) {
      const last = lastOf(mine.filter((event) => event.text.includes(format.visible(cause))), (event) => event.time);
      found.push({ actor: actor.name, cause, times, time: last?.time ?? null, text: last?.text ?? "" });
    }
  }
  return found.sort((a, b) => (b.time ?? 0) - (a.time ?? 0));
}

export class Feed {
  constructor({ alerts, restarts, events }) {
    this.alerts = new List(alerts, "No alert holds.", alertKey, (alert) => ({
      tone: alert.colour,
      symbol: alert.colour,
      when: format.time(alert.since),
      head: alert.subject,
      body: `${alert.colour}: ${withoutSubject(alert)}`,
    }));
    this.restarts = new List(restarts, "Nothing has been restarted.", (restart) => `${restart.actor} ${restart.cause}`, (restart) => ({
      tone: "orange",
      symbol: "restarting",
      when: restart.time === null ? "" : format.time(restart.time),
      head: `${restart.actor} · ${format.plural(restart.times, "time")}`,
      body: `Cause: ${format.visible(restart.cause)}`,
    }));
    this.events = new List(events, "No events yet.", (event) => `${event.time} ${event.kind} ${event.text}`, (event) => ({
      tone: TONES[event.level] ?? null,
      symbol: SIGNS[event.level] ?? "info",
      when: format.time(event.time),
      head: event.level === "info" ? (event.actor ?? "run") : `${event.actor ?? "run"} · ${event.level}`,
      body: event.text,
    }));
  }

  update(state) {
    const alerts = [...state.alerts].sort((a, b) => severity(b.colour) - severity(a.colour) || a.since - b.since);
    this.alerts.update(alerts);
    this.restarts.update(restartsOf(state));
    this.events.update([...state.events].reverse());
  }
}
