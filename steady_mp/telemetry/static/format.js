// Figures as people read them. Every function answers "–" for what is not known.

const NONE = "–";
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

// What would break a line or turn the direction of the text around it is shown instead of done.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function visible(text) {
  return text.replace(UNSEEN, (sign) => (sign === "\n" ? "⏎" : `<U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}>`));
}

const known = (value) => typeof value === "number" && Number.isFinite(value);

function significant(value) {
  if (value >= 100) return grouped.format(value);
  return value >= 10 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
}

export function time(seconds) {
  return known(seconds) ? clock.format(new Date(seconds * 1000)) : NONE;
}

export function count(value) {
  return known(value) ? grouped.format(value) : NONE;
}

export function percent(value) {
  if (!known(value)) return NONE;
  return value > 0 && value < 1 ? "<1 %" : `${Math.round(value)} %`;
}

export function short(value) {
  if (!known(value)) return NONE;
  const units = [[1e9, "G"], [1e6, "M"], [1e4, "k"]];
  for (const [size, unit] of units) {
    if (Math.abs(value) >= size) {
      const scale = unit === "k" ? 1e3 : size;
      return `${significant(value / scale)} ${unit}`;
    }
  }
  return significant(value);
}

// A counter in a narrow column: one digit more, so that it is seen to move.
export function total(value) {
  return known(value) && value >= 1e4 && value < 1e5 ? `${(value / 1e3).toFixed(1)} k` : short(value);
}

export function rate(value) {
  return known(value) ? `${short(value)}/s` : NONE;
}

export function bytes(value) {
  if (!known(value)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${significant(value)} ${units[unit]}`;
}

export function duration(seconds) {
  if (!known(seconds)) return NONE;
  if (seconds === 0) return "0 s";
  if (seconds < 0.001) return `${significant(seconds * 1e6)} µs`;
  if (seconds < 1) return `${significant(seconds * 1e3)} ms`;
  if (seconds < 60) return `${significant(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

export function ago(seconds) {
  if (!known(seconds)) return NONE;
  return seconds < 2 ? "just now" : `${duration(Math.floor(seconds))} ago`;
}

export function monitor({ value, unit }) {
  if (!known(value)) return NONE;
  if (unit === "s" || unit === "seconds") return duration(value);
  if (unit === "bytes" || unit === "B") return bytes(value);
  if (unit === "%") return percent(value);
  return unit ? `${short(value)} ${unit}` : short(value);
}

export function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}
