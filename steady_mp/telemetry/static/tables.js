// The two tables. Columns are fixed in width and figures in place, so that nothing moves while they change.
import { el, icon, reconcile, setAttribute, setIcon, setText } from "./dom.js";
import * as format from "./format.js";
import { causes, isFull, ownName, route, stateIcon, stateTone, stateWords } from "./model.js";
import { Spark } from "./spark.js";

const SPARK = [120, 24];

const ACTOR_COLUMNS = [
  ["Actor", "c-name"],
  ["Load", "c-spark"],
  ["mCPU", "c-figure extra"],
  ["Memory", "c-figure extra"],
  ["Messages", "c-figure c-pair extra"],
  ["Restarts", "c-figure"],
];

const CHANNEL_COLUMNS = [
  ["Channel", "c-name"],
  ["Filled", "c-spark"],
  ["In flight", "c-figure extra"],
  ["Rate", "c-figure"],
  ["Latency", "c-figure extra"],
  ["Waited", "c-figure extra"],
];

const HINTS = {
  Load: "Share of the time in which the actor was not waiting",
  mCPU: "Processor time: 1024 is one core",
  Messages: "Messages taken and sent since the start",
  Filled: "80th percentile of the fill in the last seconds",
  Latency: "How long a message waits in the channel: average",
  Waited: "Share of the time in which the producer waited for room",
};

function heading(columns) {
  const row = el("tr");
  for (const [title, className] of columns) {
    const cell = el("th", className, title);
    cell.scope = "col";
    if (HINTS[title]) cell.title = HINTS[title];
    row.append(cell);
  }
  return el("thead", "", row);
}

function nameCell(onOpen) {
  const sign = icon("info");
  const title = el("span", "row-title");
  const sub = el("span", "row-sub");
  const button = el("button", "row-open", sign, el("span", "row-text", title, sub));
  button.type = "button";
  button.addEventListener("click", (event) => {
    event.stopPropagation(); // the row listens as well
    onOpen(button);
  });
  const cell = el("th", "c-name", button);
  cell.scope = "row";
  return { cell, button, sign, title, sub };
}

function sparkCell(label) {
  const spark = new Spark(...SPARK, label);
  const value = el("span", "figure");
  return { cell: el("td", "c-spark", el("span", "spark-cell", spark.node, value)), spark, value };
}

function figureCell(className) {
  return el("td", className);
}

// Opens on a click anywhere in the row, but not at the end of a selection of text.
function openOnClick(row, open) {
  row.addEventListener("click", () => {
    if (getSelection().isCollapsed) open();
  });
}

function actorRow(actor, onSelect) {
  const name = nameCell((button) => onSelect("actor", actor.name, button));
  const load = sparkCell(`Load of ${actor.name}`);
  const [cpu, memory, messages] = ["c-figure extra", "c-figure extra", "c-figure extra"].map(figureCell);
  const [taken, sent] = [el("span"), el("span")];
  messages.append(el("span", "pairs", taken, sent));
  const restarts = figureCell("c-figure");
  const node = el("tr", "", name.cell, load.cell, cpu, memory, messages, restarts);
  setText(name.title, actor.name);
  openOnClick(node, () => onSelect("actor", actor.name, name.button));
  const update = (now) => {
    setIcon(name.sign, stateIcon(now));
    setAttribute(node, "data-tone", stateTone(now));
    setAttribute(node, "data-alert", now.alert);
    setText(name.sub, now.alert ? `${stateWords(now)} · ${now.alert} alert` : stateWords(now));
    setText(load.value, format.percent(now.load));
    load.spark.draw(now.history?.load, 100);
    setText(cpu, format.count(now.mcpu));
    setText(memory, format.bytes(now.rss));
    setText(taken, `${format.total(now.messages_in)} in`);
    setText(sent, `${format.total(now.messages_out)} out`);
    setText(restarts, format.count(now.restarts));
    setAttribute(restarts, "title", causes(now.deaths) || null);
    setAttribute(restarts, "data-some", now.restarts ? "" : null);
  };
  return { node, button: name.button, update };
}

function channelRow(channel, onSelect, trend) {
  const name = nameCell((button) => onSelect("channel", channel.name, button));
  const fill = sparkCell(`Fill of ${channel.name}`);
  const flight = figureCell("c-figure extra");
  const rate = figureCell("c-figure");
  const [latency, held] = ["c-figure extra", "c-figure extra"].map(figureCell);
  const node = el("tr", "", name.cell, fill.cell, flight, rate, latency, held);
  const own = ownName(channel);
  setText(name.title, own || route(channel));
  openOnClick(node, () => onSelect("channel", channel.name, name.button));
  const update = (now) => {
    const words = isFull(now) ? "full" : now.in_flight ? "flowing" : "empty";
    setIcon(name.sign, now.alert ?? "info");
    setAttribute(node, "data-alert", now.alert);
    setText(name.sub, [own && route(now), words, now.alert && `${now.alert} alert`].filter(Boolean).join(" · "));
    setText(fill.value, format.percent(now.filled.p80));
    fill.spark.draw(now.history?.filled, 100);
    setText(flight, `${format.short(now.in_flight)} / ${format.short(now.capacity)}`);
    setText(rate, format.rate(now.rate));
    setText(latency, format.duration(now.latency?.avg));
    setText(held, format.percent(trend.heldBack(now.name)));
  };
  return { node, button: name.button, update };
}

class Table {
  constructor(table, columns, nothing, create) {
    this.body = el("tbody");
    this.views = new Map();
    this.create = create;
    this.empty = el("p", "none", nothing);
    table.append(heading(columns), this.body);
    table.after(this.empty);
  }

  update(items) {
    this.empty.hidden = items.length > 0;
    reconcile(this.body, this.views, items, (item) => item.name, this.create);
  }

  select(chosen) {
    for (const [name, { node, button }] of this.views) {
      setAttribute(node, "data-chosen", name === chosen ? "" : null);
      setAttribute(button, "aria-expanded", String(name === chosen));
    }
  }
}

export class Tables {
  constructor(actorTable, channelTable, onSelect, trend) {
    this.actors = new Table(actorTable, ACTOR_COLUMNS, "No actors.", (actor) => actorRow(actor, onSelect));
    this.channels = new Table(channelTable, CHANNEL_COLUMNS, "No channels.", (channel) =>
      channelRow(channel, onSelect, trend),
    );
  }

  update(state) {
    this.actors.update(state.actors);
    this.channels.update(state.channels);
  }

  select(kind, name) {
    this.actors.select(kind === "actor" ? name : null);
    this.channels.select(kind === "channel" ? name : null);
  }
}
