// The live graph: actors are buttons, channels are lines with a button in the middle. It is laid out when the topology
// or the room changes and never else; an update only changes words, colours, widths and speeds.
import { el, icon, reconcile, setAttribute, setIcon, setStyle, setText, svg } from "./dom.js";
import * as format from "./format.js";
import { NARROW, WIDE, place } from "./layout.js";
import { isFull, ownName, route, stateIcon, stateTone, stateWords } from "./model.js";

const PHONE = 640;
const BEADS = 14;
const LEAST_SCALE = 0.5;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class GraphView {
  constructor(container, onSelect) {
    this.container = container;
    this.onSelect = onSelect;
    this.nodes = new Map();
    this.edges = new Map();
    this.labels = new Map();
    this.topology = "";
    this.width = 0;
    this.frozen = false;
    this.lines = svg("svg", { class: "lines", "aria-hidden": "true" });
    this.empty = el("p", "none", "This graph has no actors.");
    this.nodeLayer = el("div");
    this.labelLayer = el("div");
    this.stage = el("div", "stage", this.lines, this.nodeLayer, this.labelLayer);
    this.fit = el("div", "fit", this.stage);
    container.append(this.fit, this.empty);
    container.addEventListener("keydown", (event) => this.onKey(event));
    new ResizeObserver(() => this.onResize()).observe(container);
    calm.addEventListener("change", () => this.eachEdge((edge) => this.pace(edge)));
  }

  update(state) {
    const shape = JSON.stringify([state.actors.map((a) => a.name), state.channels.map((c) => [c.name, c.from, c.to])]);
    this.state = state;
    this.empty.hidden = state.actors.length > 0;
    this.fit.hidden = !this.empty.hidden;
    const fastest = Math.max(0, ...state.channels.map((channel) => channel.rate ?? 0));
    reconcile(this.lines, this.edges, state.channels, (c) => c.name, (c) => this.createLine(c));
    reconcile(this.nodeLayer, this.nodes, state.actors, (a) => a.name, (a) => this.createNode(a));
    reconcile(this.labelLayer, this.labels, state.channels, (c) => c.name, (c) => this.createLabel(c));
    for (const channel of state.channels) this.updateLine(channel, fastest);
    if (shape !== this.topology) {
      this.topology = shape;
      this.arrange();
    }
  }

  onResize() {
    const width = this.container.clientWidth;
    if (width && width !== this.width) this.arrange();
  }

  arrange() {
    this.width = this.container.clientWidth;
    if (!this.state || !this.width) return;
    const names = this.state.actors.map((actor) => actor.name);
    const narrow = this.width < PHONE;
    let plan = place(names, this.state.channels, narrow ? NARROW : WIDE);
    if (!narrow && plan.layers > 1) {
      const gap = WIDE.gapMain + (this.width - plan.width) / (plan.layers - 1);
      plan = place(names, this.state.channels, { ...WIDE, gapMain: Math.min(Math.max(gap, 146), 320) });
    }
    const scale = Math.max(LEAST_SCALE, Math.min(narrow ? 1 : 1.1, this.width / plan.width));
    setStyle(this.stage, "width", `${plan.width}px`);
    setStyle(this.stage, "height", `${plan.height}px`);
    setStyle(this.stage, "transform", `scale(${scale})`);
    setStyle(this.fit, "width", `${plan.width * scale}px`);
    setStyle(this.fit, "height", `${Math.ceil(plan.height * scale)}px`);
    setAttribute(this.lines, "viewBox", `0 0 ${plan.width} ${plan.height}`);
    for (const [name, at] of plan.nodes) this.putNode(this.nodes.get(name).node, at);
    for (const [name, at] of plan.edges) this.putEdge(name, at, narrow);
  }

  putNode(node, { x, y, width, height }) {
    setStyle(node, "left", `${x - width / 2}px`);
    setStyle(node, "top", `${y - height / 2}px`);
    setStyle(node, "width", `${width}px`);
    setStyle(node, "height", `${height}px`);
  }

  putEdge(name, { x, y, path }, narrow) {
    const line = this.edges.get(name);
    for (const part of [line.base, line.beads, line.hit]) part.setAttribute("d", path);
    const [endX, endY] = path.split(" ").slice(-2);
    line.head.setAttribute("d", narrow ? "M -7 -9 L 7 -9 L 0 1 Z" : "M -9 -7 L -9 7 L 1 0 Z");
    line.head.setAttribute("transform", `translate(${endX} ${endY})`);
    const label = this.labels.get(name).node;
    setStyle(label, "left", `${x}px`);
    setStyle(label, "top", `${y}px`);
  }

  createNode(actor) {
    const face = icon(stateIcon(actor));
    const name = el("span", "node-name", actor.name);
    const life = el("span", "node-life");
    const words = el("span", "node-state");
    const bar = el("span", "meter", el("span"));
    const load = el("span", "node-load");
    const node = el("button", "node", el("span", "node-top", face, name, life), words, el("span", "node-foot", bar, load));
    node.type = "button";
    node.title = actor.name;
    node.addEventListener("click", () => this.onSelect("actor", actor.name, node));
    const update = (now) => {
      setIcon(face, stateIcon(now));
      setAttribute(node, "data-state", now.state);
      setAttribute(node, "data-tone", stateTone(now));
      setAttribute(node, "data-alert", now.alert);
      setText(words, stateWords(now));
      setText(life, now.generation > 1 ? `life ${now.generation}` : "");
      setText(load, format.percent(now.load));
      setStyle(bar.firstElementChild, "transform", `scaleX(${Math.min(now.load ?? 0, 100) / 100})`);
      setAttribute(node, "aria-label", nodeWords(now));
    };
    return { node, update };
  }

  createLabel(channel) {
    const sign = icon("info");
    const fill = el("span", "edge-fill");
    const rate = el("span", "edge-rate");
    const title = ownName(channel);
    const gauge = el("span", "edge-gauge", el("span"));
    const node = el("button", "edge", el("span", "edge-top", sign, fill, rate), gauge);
    if (title) node.prepend(el("span", "edge-name", title));
    node.type = "button";
    node.title = title ? `${title}: ${route(channel)}` : route(channel);
    node.addEventListener("click", () => this.onSelect("channel", channel.name, node));
    const update = (now) => {
      setAttribute(node, "data-alert", now.alert);
      if (now.alert) setIcon(sign, now.alert);
      setText(fill, isFull(now) ? "full" : format.percent(now.filled.p80));
      setText(rate, format.rate(now.rate));
      setStyle(gauge.firstElementChild, "transform", `scaleX(${Math.min(now.filled.p80 ?? 0, 100) / 100})`);
      setAttribute(node, "aria-label", edgeWords(now));
    };
    return { node, update };
  }

  createLine(channel) {
    const base = svg("path", { class: "line-base" });
    const beads = svg("path", { class: "line-beads" });
    const head = svg("path", { class: "line-head" });
    const hit = svg("path", { class: "line-hit" });
    const node = svg("g", { class: "line" }, base, beads, head, hit);
    const motion = beads.animate([{ strokeDashoffset: 0 }, { strokeDashoffset: -BEADS }], {
      duration: 1000,
      iterations: Infinity,
    });
    hit.addEventListener("click", () => this.onSelect("channel", channel.name, this.labels.get(channel.name).node));
    return { node, base, beads, head, hit, motion, rate: 0 };
  }

  updateLine(channel, fastest) {
    const line = this.edges.get(channel.name);
    line.rate = channel.rate ?? 0;
    // The square root: ten messages a second stay visible beside a million.
    const width = fastest > 0 ? 1.5 + 5 * Math.sqrt(line.rate / fastest) : 1.5;
    setAttribute(line.node, "data-alert", channel.alert);
    setStyle(line.base, "stroke-width", `${width.toFixed(1)}px`);
    setStyle(line.beads, "stroke-width", `${(width * 0.6 + 1.6).toFixed(1)}px`);
    this.pace(line);
  }

  // The speed changes without a jump, because the animation goes on from where it is.
  pace(line) {
    const moves = line.rate > 0 && !this.frozen && !calm.matches;
    setAttribute(line.node, "data-moves", moves ? "" : null);
    if (!moves) {
      line.motion.pause();
      return;
    }
    line.motion.updatePlaybackRate(0.35 + 0.3 * Math.log10(1 + line.rate));
    if (line.motion.playState !== "running") line.motion.play();
  }

  eachEdge(action) {
    for (const edge of this.edges.values()) action(edge);
  }

  freeze(frozen) {
    if (this.frozen === frozen) return;
    this.frozen = frozen;
    this.eachEdge((edge) => this.pace(edge));
  }

  select(kind, name) {
    for (const [views, mine] of [[this.nodes, "actor"], [this.labels, "channel"], [this.edges, "channel"]]) {
      for (const [key, { node }] of views) {
        const chosen = mine === kind && key === name;
        setAttribute(node, "data-chosen", chosen ? "" : null);
        if (node.localName === "button") setAttribute(node, "aria-expanded", String(chosen));
      }
    }
  }

  // An arrow key goes to the nearest actor or channel in its direction; what lies off the axis counts double.
  onKey(event) {
    const direction = DIRECTIONS[event.key];
    const here = document.activeElement;
    if (!direction || !this.stage.contains(here) || event.altKey || event.ctrlKey || event.metaKey) return;
    const middle = (node) => {
      const box = node.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    };
    const [x, y] = middle(here);
    let best = null;
    for (const { node } of [...this.nodes.values(), ...this.labels.values()]) {
      const [dx, dy] = [middle(node)[0] - x, middle(node)[1] - y];
      const along = dx * direction[0] + dy * direction[1];
      if (node === here || along < 4) continue;
      const cost = along + 2 * Math.abs(dx * direction[1] + dy * direction[0]);
      if (!best || cost < best.cost) best = { node, cost };
    }
    event.preventDefault();
    best?.node.focus();
  }
}

function nodeWords(actor) {
  const words = [`Actor ${actor.name}`, stateWords(actor), `load ${format.percent(actor.load)}`];
  if (actor.restarts) words.push(format.plural(actor.restarts, "restart"));
  if (actor.alert) words.push(`${actor.alert} alert`);
  return words.join(", ");
}

function edgeWords(channel) {
  const title = ownName(channel);
  const words = [`Channel ${title ? `${title}, ` : ""}from ${channel.from} to ${channel.to}`];
  words.push(isFull(channel) ? "full" : `${format.percent(channel.filled.p80)} filled`, format.rate(channel.rate));
  if (channel.alert) words.push(`${channel.alert} alert`);
  return words.join(", ");
}
