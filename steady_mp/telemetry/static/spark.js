// History lines. The newest value stands at the right edge; the scale is fixed unless a maximum is asked for.
import { svg } from "./dom.js";

const POINTS = 120;

function shape(values, top, width, height) {
  const step = width / (POINTS - 1);
  const start = width - (values.length - 1) * step;
  const y = (value) => height - (Math.min(Math.max(value ?? 0, 0), top) / top) * height;
  const line = values.map((value, i) => `${(start + i * step).toFixed(1)} ${y(value).toFixed(1)}`).join(" L ");
  return { line: `M ${line}`, area: `M ${start.toFixed(1)} ${height} L ${line} L ${width} ${height} Z` };
}

export class Spark {
  constructor(width, height, label) {
    this.width = width;
    this.height = height;
    this.area = svg("path", { class: "spark-area" });
    this.line = svg("path", { class: "spark-line" });
    const frame = { class: "spark", viewBox: `0 -1 ${width} ${height + 2}`, preserveAspectRatio: "none" };
    this.node = svg("svg", { ...frame, role: "img", "aria-label": label }, this.area, this.line);
  }

  // Answers the value at the top of the scale.
  draw(values, top = null) {
    const shown = (values ?? []).slice(-POINTS);
    const scale = top ?? roundUp(Math.max(0, ...shown.map((value) => value ?? 0)));
    if (shown.length < 2) {
      this.line.removeAttribute("d");
      this.area.removeAttribute("d");
      return scale;
    }
    const { line, area } = shape(shown, scale, this.width, this.height);
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", area);
    return scale;
  }
}

// 1, 2 or 5 times a power of ten: the scale steps seldom instead of breathing with every value.
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
}
