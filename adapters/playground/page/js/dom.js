// The few things that every part of the page does with the document.

/**
 * An element. Attributes named `on…` are listeners; null, undefined and false ones are left out.
 * Children may be nodes, strings, nested lists, or nothing.
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * Bring a container's children in line with `items` ({key, signature, build}), touching only what differs: what a person
 * has half typed into a card lives in the document and is lost when the card is built anew.
 */
export function reconcile(container, items) {
  const present = new Map([...container.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => kept(present.get(item.key), item) ?? replaced(present.get(item.key), item));
  const staying = new Set(wanted);
  for (const node of [...container.children]) if (!staying.has(node)) node.remove();
  wanted.forEach((node, position) => {
    if (container.children[position] !== node) container.insertBefore(node, container.children[position] ?? null);
  });
}

function kept(node, item) {
  return node && node.signature === item.signature ? node : null;
}

function replaced(old, item) {
  const fresh = item.build();
  fresh.dataset.key = item.key;
  fresh.signature = item.signature;
  if (!old) return fresh;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(fresh);
  if (focused) focusLike(fresh, focused);
  return fresh;
}

/** The keyboard stays where it was: on the same control of the new version, or else on the thing as a whole. */
function focusLike(fresh, focused) {
  const same = focused.dataset.focus && fresh.querySelector(`[data-focus="${CSS.escape(focused.dataset.focus)}"]`);
  if (!same && !fresh.hasAttribute("tabindex")) fresh.tabIndex = -1;
  (same || fresh).focus({ preventScroll: true });
}

/** Tell people who do not see the page. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

const SHAPES = {
  send: "M2.5 3.2 17.5 10 2.5 16.8l1.6-5.6L12 10 4.1 8.8z",
  close: "M5 5l10 10M15 5 5 15",
  check: "M4.5 10.5l3.6 3.6 7.4-8",
  clock: "M10 5v5l3.2 2M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15z",
  lock: "M5.5 9h9v7h-9zM7.2 9V6.8a2.8 2.8 0 0 1 5.6 0V9",
  link: "M8 12l4-4M9 6.5l1.6-1.6a3.2 3.2 0 0 1 4.5 4.5L13.5 11M11 13.5l-1.6 1.6a3.2 3.2 0 0 1-4.5-4.5L6.5 9",
};

/** A small drawing, hidden from screen readers. */
export function icon(name, filled = false) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" }))
    svg.setAttribute(key, value);
  path.setAttribute("d", SHAPES[name]);
  if (filled) path.setAttribute("class", "filled");
  svg.append(path);
  return svg;
}
