// Places a graph: layers along the main axis (left to right, or top to bottom on a phone), crossings few, and
// always the same answer for the same graph. Pure: names and numbers in, numbers out.

const SWEEPS = 6;

export const WIDE = { down: false, main: 190, cross: 78, gapMain: 168, gapCross: 36, port: 34, lane: 46, pad: 8 };
export const NARROW = { down: true, main: 78, cross: 158, gapMain: 92, gapCross: 18, port: 40, lane: 60, pad: 6 };

// Cycles are legal; the edges that close one ("back") are drawn around the rest.
function findBack(names, edges) {
  const out = new Map(names.map((name) => [name, []]));
  for (const edge of edges) out.get(edge.from).push(edge);
  const colour = new Map();
  const back = new Set();
  for (const start of names) {
    if (colour.has(start)) continue;
    const stack = [[start, 0]];
    colour.set(start, "open");
    while (stack.length) {
      const top = stack[stack.length - 1];
      const edge = out.get(top[0])[top[1]++];
      if (!edge) {
        colour.set(top[0], "done");
        stack.pop();
      } else if (colour.get(edge.to) === "open") {
        back.add(edge);
      } else if (!colour.has(edge.to)) {
        colour.set(edge.to, "open");
        stack.push([edge.to, 0]);
      }
    }
  }
  return back;
}

function rankAll(names, edges) {
  const rank = new Map(names.map((name) => [name, 0]));
  for (let round = 0, moved = true; moved && round <= names.length; round += 1) {
    moved = false;
    for (const { from, to } of edges) {
      if (rank.get(to) <= rank.get(from)) {
        rank.set(to, rank.get(from) + 1);
        moved = true;
      }
    }
  }
  // A source stands right before the one it feeds, not at the far left.
  const fed = new Set(edges.map((edge) => edge.to));
  for (const name of names) {
    const next = edges.filter((edge) => edge.from === name).map((edge) => rank.get(edge.to));
    if (!fed.has(name) && next.length) rank.set(name, Math.min(...next) - 1);
  }
  return rank;
}

function cell(key, rank, size) {
  return { key, rank, size, before: [], after: [], at: 0 };
}

// One cell per actor, and one per layer that a long edge passes through, so that it passes beside the actors.
function buildCells(names, forward, rank, shape) {
  const degree = new Map(names.map((name) => [name, { in: 0, out: 0 }]));
  for (const { from, to } of forward) {
    degree.get(from).out += 1;
    degree.get(to).in += 1;
  }
  const cells = new Map();
  for (const name of names) {
    const { in: ins, out: outs } = degree.get(name);
    cells.set(name, cell(name, rank.get(name), Math.max(shape.cross, Math.max(ins, outs) * shape.port)));
  }
  const all = [...cells.values()];
  const chains = new Map();
  for (const edge of forward) {
    const chain = [cells.get(edge.from)];
    for (let layer = rank.get(edge.from) + 1; layer < rank.get(edge.to); layer += 1) {
      const passing = cell(edge, layer, shape.port);
      all.push(passing);
      chain.push(passing);
    }
    chain.push(cells.get(edge.to));
    for (let i = 1; i < chain.length; i += 1) {
      chain[i - 1].after.push(chain[i]);
      chain[i].before.push(chain[i - 1]);
    }
    chains.set(edge, chain);
  }
  return { cells, all, chains };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function orderLayers(all) {
  const layers = [];
  for (const one of all) (layers[one.rank] ??= []).push(one);
  const ordered = layers.filter(Boolean);
  const number = () => ordered.forEach((layer) => layer.forEach((one, i) => (one.order = i)));
  number();
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const side = sweep % 2 ? "after" : "before";
    for (const layer of sweep % 2 ? [...ordered].reverse() : ordered) {
      for (const one of layer) one.wish = one[side].length ? mean(one[side].map((x) => x.order)) : one.order;
      layer.sort((a, b) => a.wish - b.wish || a.order - b.order);
      layer.forEach((one, i) => (one.order = i));
    }
  }
  return ordered;
}

// Pulls every cell towards the middle of its neighbours, then pushes overlaps apart, a few times.
function spread(layers, gap) {
  for (const layer of layers) {
    let at = 0;
    for (const one of layer) {
      one.at = at + one.size / 2;
      at += one.size + gap;
    }
    for (const one of layer) one.at -= (at - gap) / 2;
  }
  for (let round = 0; round < SWEEPS * 2; round += 1) {
    for (const layer of round % 2 ? [...layers].reverse() : layers) {
      const wishes = layer.map((one) => {
        const near = [...one.before, ...one.after];
        return near.length ? mean(near.map((x) => x.at)) : one.at;
      });
      const low = [...wishes];
      for (let i = 1; i < layer.length; i += 1) {
        low[i] = Math.max(low[i], low[i - 1] + (layer[i - 1].size + layer[i].size) / 2 + gap);
      }
      const high = [...wishes];
      for (let i = layer.length - 2; i >= 0; i -= 1) {
        high[i] = Math.min(high[i], high[i + 1] - (layer[i + 1].size + layer[i].size) / 2 - gap);
      }
      layer.forEach((one, i) => (one.at = (low[i] + high[i]) / 2));
    }
  }
}

// Each edge has a port of its own, in the order of where it goes, so that no two lie on each other.
function assignPorts(cells, chains, shape) {
  const ports = new Map();
  for (const one of cells.values()) {
    for (const [role, pick, next] of [["from", 0, 1], ["to", -1, -2]]) {
      const mine = [...chains].filter(([, chain]) => chain.at(pick) === one);
      mine.sort((a, b) => a[1].at(next).at - b[1].at(next).at);
      const step = Math.min(shape.port, one.size / (mine.length || 1));
      mine.forEach(([edge], i) => {
        const port = ports.get(edge) ?? {};
        port[role] = one.at + (i - (mine.length - 1) / 2) * step;
        ports.set(edge, port);
      });
    }
  }
  return ports;
}

const point = (shape, main, cross) => (shape.down ? `${round(cross)} ${round(main)}` : `${round(main)} ${round(cross)}`);
const round = (value) => Math.round(value * 10) / 10;

function curve(points, shape) {
  let path = `M ${point(shape, ...points[0])}`;
  for (let i = 1; i < points.length; i += 1) {
    const [m0, c0] = points[i - 1];
    const [m1, c1] = points[i];
    const middle = (m0 + m1) / 2;
    path += ` C ${point(shape, middle, c0)} ${point(shape, middle, c1)} ${point(shape, m1, c1)}`;
  }
  return path;
}

function forwardEdge(edge, chain, port, shape, mainOf) {
  const half = shape.main / 2;
  const points = [[mainOf(chain[0]) + half, port.from]];
  for (const passing of chain.slice(1, -1)) {
    points.push([mainOf(passing) - half, passing.at], [mainOf(passing) + half, passing.at]);
  }
  points.push([mainOf(chain.at(-1)) - half, port.to]);
  const segment = points.length > 2 ? Math.floor((points.length - 1) / 2) : 0;
  const [a, b] = [points[segment], points[segment + 1]];
  return { path: curve(points, shape), label: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
}

function backEdge(edge, lane, cells, shape, mainOf) {
  const half = shape.main / 2;
  const [from, to] = [cells.get(edge.from), cells.get(edge.to)];
  const out = mainOf(from) + half;
  const into = mainOf(to) - half;
  const reach = Math.min(shape.gapMain / 2, 60);
  const path =
    `M ${point(shape, out, from.at)} C ${point(shape, out + reach, from.at)} ${point(shape, out + reach, lane)} ` +
    `${point(shape, out, lane)} L ${point(shape, into, lane)} C ${point(shape, into - reach, lane)} ` +
    `${point(shape, into - reach, to.at)} ${point(shape, into, to.at)}`;
  return { path, label: [(out + into) / 2, lane] };
}

// Labels in the same gap that would cover each other move apart across the flow.
function separate(labels, shape) {
  const [long, tall] = shape.down ? [36, 124] : [128, 40];
  const sorted = [...labels].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  for (let i = 1; i < sorted.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const near = Math.abs(sorted[i][0] - sorted[j][0]) < long;
      if (near && sorted[i][1] - sorted[j][1] < tall) sorted[i][1] = sorted[j][1] + tall;
    }
  }
}

export function place(names, channels, shape) {
  const known = new Set(names);
  const edges = channels.filter((edge) => known.has(edge.from) && known.has(edge.to));
  const back = findBack(names, edges);
  const forward = edges.filter((edge) => !back.has(edge));
  const rank = rankAll(names, forward);
  const { cells, all, chains } = buildCells(names, forward, rank, shape);
  const layers = orderLayers(all);
  spread(layers, shape.gapCross);
  const low = Math.min(0, ...all.map((one) => one.at - one.size / 2));
  all.forEach((one) => (one.at += shape.pad - low));
  const lead = back.size ? Math.min(shape.gapMain / 2, 60) : 0;
  const mainOf = (one) => shape.pad + lead + shape.main / 2 + one.rank * (shape.main + shape.gapMain);
  const ports = assignPorts(cells, chains, shape);
  const placed = new Map();
  for (const [edge, chain] of chains) placed.set(edge, forwardEdge(edge, chain, ports.get(edge), shape, mainOf));
  let deepest = Math.max(0, ...all.map((one) => one.at + one.size / 2));
  for (const edge of back) placed.set(edge, backEdge(edge, (deepest += shape.lane), cells, shape, mainOf));
  const labels = [...placed.values()].map((one) => one.label);
  separate(labels, shape);
  const sizes = { lead, layers: layers.length, deepest: back.size ? deepest + 18 : deepest };
  return finish({ cells, placed, labels, shape, mainOf, ...sizes });
}

function finish({ cells, placed, labels, shape, mainOf, lead, layers, deepest }) {
  const turn = (main, cross) => (shape.down ? { x: cross, y: main } : { x: main, y: cross });
  const far = Math.max(0, ...[...cells.values()].map(mainOf)) + shape.main / 2 + lead + shape.pad;
  const across = Math.max(deepest, ...labels.map((label) => label[1] + (shape.down ? 62 : 18))) + shape.pad;
  const nodes = new Map();
  for (const one of cells.values()) {
    const size = turn(shape.main, one.size);
    nodes.set(one.key, { ...turn(mainOf(one), one.at), width: size.x, height: size.y });
  }
  const edges = new Map();
  for (const [edge, { path, label }] of placed) edges.set(edge.name, { path, ...turn(...label) });
  const size = turn(far, across);
  return { nodes, edges, layers, width: size.x, height: size.y };
}
