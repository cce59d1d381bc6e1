// What the page works out for itself from answers: how things move between them, and which words fit.

import { visible } from "./format.js";

const SPAN_SECONDS = 10;
const SEVERITY = { red: 3, orange: 2, yellow: 1 };

// From here on a producer has to wait again and again; the sentence on top draws the same line.
const JAMMED = 80;
// What rounds to a full channel is called full.
const FULL = 99.5;
export const OVERLOADED = 90;

export const severity = (alert) => SEVERITY[alert] ?? 0;

export function isFull(channel) {
  return channel.filled.now >= FULL || channel.filled.p80 >= FULL;
}

export const isJammed = (channel) => channel.filled.avg >= JAMMED;

export function route(channel) {
  return `${channel.from} → ${channel.to}`;
}

// The default name is the route already; only a given name says more.
export function ownName(channel) {
  return channel.name === `${channel.from}→${channel.to}` ? "" : channel.name;
}

// A channel of the default name says who is too slow; one with a name of its own says itself.
export function stateWords(actor) {
  if (actor.state !== "blocked" || !actor.blocked_on) return actor.state;
  const route = `${actor.name}→`;
  return `blocked by ${actor.blocked_on.startsWith(route) ? actor.blocked_on.slice(route.length) : actor.blocked_on}`;
}

// It has no life at present, or one that has only begun.
function comes(actor) {
  return actor.state === "starting" || actor.state === "restarting" || actor.state === "lost";
}

export function stateIcon(actor) {
  if (actor.state === "given up") return "given-up";
  return comes(actor) ? "restarting" : actor.state;
}

export function stateTone(actor) {
  if (actor.state === "stuck" || actor.state === "given up") return "red";
  if (actor.state === "blocked") return "orange";
  if (comes(actor)) return "yellow";
  return actor.state === "running" ? "good" : "quiet";
}

export function causes(deaths) {
  return Object.entries(deaths ?? {})
    .sort((a, b) => b[1] - a[1])
    .map(([cause, times]) => (times > 1 ? `${visible(cause)} × ${times}` : visible(cause)))
    .join(", ");
}

export function lastOf(items, value) {
  return items.reduce((best, item) => ((value(item) ?? -1) > (best ? value(best) : -1) ? item : best), null);
}

// The longest wait from any source to any sink: average waits in channels, added up along the way.
export function slowestPath(state) {
  const incoming = new Map(state.actors.map((actor) => [actor.name, []]));
  for (const channel of state.channels) incoming.get(channel.to)?.push(channel);
  const best = new Map();
  const visit = (name, open) => {
    if (best.has(name)) return best.get(name);
    let found = { seconds: 0, worst: null };
    for (const channel of incoming.get(name) ?? []) {
      if (open.has(channel.from) || !channel.latency) continue;
      const before = visit(channel.from, new Set(open).add(name));
      const seconds = before.seconds + channel.latency.avg;
      if (seconds >= found.seconds) {
        const worst = before.worst && before.worst.latency.avg > channel.latency.avg ? before.worst : channel;
        found = { seconds, worst };
      }
    }
    if (open.size === 0 || !best.has(name)) best.set(name, found);
    return found;
  };
  const ends = state.actors.map((actor) => visit(actor.name, new Set()));
  return lastOf(ends.filter((end) => end.worst), (end) => end.seconds);
}

export class Trend {
  constructor() {
    this.samples = [];
    this.run = null;
  }

  add(state) {
    const last = this.samples.at(-1)?.at;
    if (this.run !== state.run?.id || state.as_of < last) this.samples = []; // another run, or a clock that was set back
    this.run = state.run?.id;
    if (last === state.as_of && this.samples.length) return;
    const channels = new Map(state.channels.map((c) => [c.name, [c.sent, c.in_flight, c.blocked_seconds]]));
    this.samples.push({ at: state.as_of, channels });
    while (this.samples.length > 2 && state.as_of - this.samples[0].at > SPAN_SECONDS) this.samples.shift();
  }

  change(name, index) {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    const [before, after] = [first?.channels.get(name), last?.channels.get(name)];
    if (!before || !after || last.at - first.at < 1) return null;
    return (after[index] - before[index]) / (last.at - first.at);
  }

  sentRate(name) {
    return this.change(name, 0);
  }

  growth(name) {
    return this.change(name, 1);
  }

  // The share of the time in which the producer had to wait for room.
  heldBack(name) {
    const share = this.change(name, 2);
    return share === null ? null : Math.min(100, Math.max(0, share * 100));
  }
}
