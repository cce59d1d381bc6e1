// The questions of somebody who has just arrived, answered in words: the sentence on top and the tiles below it.
import { byId, el, icon, setAttribute, setIcon, setText } from "./dom.js";
import * as format from "./format.js";
import { lasting, restartsOf, withoutSubject } from "./feed.js";
import { OVERLOADED, isFull, isJammed, lastOf, ownName, route, severity, slowestPath } from "./model.js";

const titleOf = (channel) => ownName(channel) || route(channel);

function busiest(state) {
  const actor = lastOf(state.actors, (one) => one.load);
  if (!actor) return { value: "–", note: "no actors" };
  const over = actor.load >= OVERLOADED;
  const tone = over ? "orange" : "good";
  return { value: format.percent(actor.load), name: actor.name, note: over ? "overloaded" : "has room", tone, open: ["actor", actor.name] };
}

function fullest(state) {
  const channel = lastOf(state.channels, (one) => one.filled.p80);
  if (!channel) return { value: "–", note: "no channels" };
  const full = isFull(channel);
  const tone = channel.alert ?? (full ? "red" : "good");
  const held = `${format.count(channel.in_flight)} of ${format.count(channel.capacity)}`;
  const value = format.percent(channel.filled.p80);
  return { value, name: titleOf(channel), note: full ? "full" : held, tone, open: ["channel", channel.name] };
}

function latency(state) {
  const path = slowestPath(state);
  if (!path) return { value: "–", name: "", note: "nothing has come through yet" };
  const open = ["channel", path.worst.name];
  return { value: format.duration(path.seconds), name: titleOf(path.worst), note: "most of it waits here", tone: path.worst.alert ?? "quiet", open };
}

// Behind means: a channel is full, so that its producer has to wait, or the backlog of all channels grows.
function pace(state, trend) {
  const jam = lastOf(state.channels.filter(isJammed), (one) => one.filled.avg);
  if (jam) {
    const held = trend.heldBack(jam.name);
    const note = held === null ? "waits for room" : `waits for room, ${format.percent(held)} of the time`;
    return { value: "Falling behind", name: jam.from, note, tone: "orange", open: ["channel", jam.name] };
  }
  const growing = lastOf(state.channels, (one) => trend.growth(one.name));
  const growth = growing ? trend.growth(growing.name) : 0;
  if (growing && growth > Math.max(1, 0.05 * growing.rate) && growing.filled.now > 25) {
    const note = `backlog grows by ${format.rate(growth)}`;
    return { value: "Falling behind", name: titleOf(growing), note, tone: "orange", open: ["channel", growing.name] };
  }
  const fed = new Set(state.channels.map((one) => one.from));
  const out = state.channels.filter((one) => !fed.has(one.to)).reduce((sum, one) => sum + (one.rate ?? 0), 0);
  return { value: "Keeping up", name: "", note: `${format.rate(out)} reach the end`, tone: "good" };
}

function restarts(state) {
  const total = state.actors.reduce((sum, actor) => sum + (actor.restarts ?? 0), 0);
  if (!total) return { value: "0", name: "", note: "none since the start", tone: "good" };
  const last = restartsOf(state)[0];
  if (!last) return { value: format.count(total), name: "", note: "no failure", tone: "good" };
  const when = last.time === null ? "" : ` · ${format.time(last.time)}`;
  return { value: format.count(total), name: last.actor, note: `${format.visible(last.cause)}${when}`, tone: "yellow", open: ["actor", last.actor] };
}

// What the sentence on top rests on.
function grounds(state, trend) {
  const jam = lastOf(state.channels.filter(isJammed), (one) => one.filled.avg);
  if (!jam) {
    const top = lastOf(state.channels, (one) => one.filled.p80);
    return top ? `The fullest channel, ${titleOf(top)}, is filled to ${format.percent(top.filled.p80)}.` : "";
  }
  const held = trend.heldBack(jam.name);
  const waits = held === null ? "waits for room" : `waits for room ${format.percent(held)} of the time`;
  const age = jam.latency ? ` A message spends ${format.duration(jam.latency.avg)} in the channel.` : "";
  return `${jam.from} ${waits}.${age}`;
}

const TILES = [
  ["Busiest actor", busiest],
  ["Fullest channel", fullest],
  ["Latency, start to end", latency],
  ["Pace", pace],
  ["Restarts", restarts],
];

const TONE_ICONS = { red: "red", orange: "orange", yellow: "yellow", good: "finished" };

function tile(title, onSelect) {
  const sign = icon("info");
  const value = el("span", "tile-value");
  const name = el("span", "tile-name");
  const note = el("span", "tile-note");
  const node = el("button", "tile", el("span", "tile-title", title), el("span", "tile-main", sign, value), name, note);
  node.type = "button";
  let open = null;
  node.addEventListener("click", () => open && onSelect(...open, node));
  const update = (answer) => {
    open = answer.open ?? null;
    setAttribute(node, "data-tone", answer.tone ?? "quiet");
    setIcon(sign, TONE_ICONS[answer.tone] ?? "info");
    setText(value, answer.value);
    // Without a name the note moves up, as text: a line that came and went would push the other.
    const [first, second] = answer.name ? [answer.name, answer.note] : [answer.note, ""];
    setText(name, first);
    setAttribute(name, "title", first);
    setAttribute(name, "data-plain", answer.name ? null : "");
    setText(note, second);
    setAttribute(note, "title", second || null);
    setAttribute(node, "aria-disabled", open ? null : "true");
  };
  return { node, update };
}

// The sentence: what is wrong comes first, what is merely so comes last. `said` is what of it is worth saying aloud.
function sentence(state, trend) {
  const faults = (state.not_ready ?? []).join(" · ");
  const more = faults || grounds(state, trend);
  if (state.phase === "stopped") return { tone: "wait", text: "The run has ended.", more: faults };
  if (!state.actors.length) return { tone: "calm", text: "This graph has no actors.", more: faults };
  if (state.summary) {
    const worst = lastOf([...state.channels, ...state.actors], (one) => severity(one.alert));
    return { tone: worst?.alert === "red" ? "red" : "orange", text: state.summary, more };
  }
  if (state.phase === "draining") return { tone: "wait", text: "The graph drains: what is under way is finished first.", more: faults };
  if (!state.ready && faults) return { tone: "orange", text: faults, more: "" };
  const alert = lastOf(state.alerts, (one) => severity(one.colour));
  if (alert) {
    const [text, said] = [withoutSubject, lasting].map((words) => `${alert.subject}: ${words(alert)}`);
    return { tone: alert.colour, text, said, more };
  }
  return { tone: "calm", text: "Nothing holds the graph back.", more };
}

const VERDICT_ICONS = { calm: "finished", wait: "idle", yellow: "yellow", orange: "orange", red: "red", stale: "stale" };

export class Glance {
  constructor(container, onSelect) {
    this.tiles = TILES.map(([title, answer]) => ({ answer, ...tile(title, onSelect) }));
    container.append(...this.tiles.map(({ node }) => node));
    this.verdict = byId("verdict");
    this.text = byId("verdict-text");
    this.more = byId("verdict-more");
    this.sign = byId("verdict-icon");
  }

  update(state, trend) {
    for (const { answer, update } of this.tiles) update(answer(state, trend));
  }

  // Answers the sentence, for the live region.
  judge(state, trend, { status, why, since }) {
    let { tone, text, said = text, more } = state ? sentence(state, trend) : { tone: "wait", text: "Waiting for the first answer…", more: why };
    if (status === "stale") {
      const old = state.phase === "stopped" ? text : `Nothing new since ${format.time(since)}: these figures are old.`;
      [tone, text, said, more] = ["stale", old, old, `Cause: ${why}. Trying again.`];
    }
    setAttribute(this.verdict, "data-tone", tone);
    setIcon(this.sign, VERDICT_ICONS[tone]);
    setText(this.text, text);
    setText(this.more, more);
    return said;
  }
}
