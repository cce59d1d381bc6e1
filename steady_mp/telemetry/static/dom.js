// The few things this page needs of a framework. Text goes in as text and never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function el(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function icon(name) {
  const use = svg("use", { href: `#i-${name}` });
  return svg("svg", { class: "icon", "aria-hidden": "true" }, use);
}

export function setIcon(node, name) {
  setAttribute(node.firstElementChild ?? node, "href", `#i-${name}`);
}

// Writing what already stands there would cost a layout and, in a live region, say it again.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value === null || value === undefined) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== value) {
    node.setAttribute(name, value);
  }
}

// Styles are set through the object model, which the content security policy allows; a style attribute it does not.
export function setStyle(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}

// Two items may be alike to the last letter; the second one still has a node of its own. It is counted from the end,
// because what grows does so at its beginning.
function distinct(keys) {
  const times = new Map();
  return keys.reduceRight((found, key) => {
    const nth = (times.get(key) ?? 0) + 1;
    times.set(key, nth);
    return [nth === 1 ? key : `${key}\n${nth}`, ...found];
  }, []);
}

// Keeps the nodes of what stays, in order: a focused row keeps its focus, and nothing flickers. Returns the views.
export function reconcile(parent, known, items, keyOf, create) {
  const keys = distinct(items.map(keyOf));
  const wanted = new Set(keys);
  for (const [key, view] of known) {
    if (!wanted.has(key)) {
      view.node.remove();
      known.delete(key);
    }
  }
  let cursor = parent.firstChild;
  return items.map((item, i) => {
    const key = keys[i];
    let view = known.get(key);
    if (!view) known.set(key, (view = create(item)));
    if (view.node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(view.node, cursor);
    view.update?.(item);
    return view;
  });
}
