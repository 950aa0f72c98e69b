// What the two sides have in common: the frame, the entries of the sidebar, the message list.

import { el, reconcile } from "./dom.js";

/** The empty parts that both sides fill: identity, messages, toasts, front (what comes in front of the columns). */
export function parts(side) {
  return {
    identity: el("div", { class: "me", "data-testid": `${side}-me` }),
    messages: el("div", {
      class: "messages",
      role: "log",
      "aria-live": "off", // new messages are read aloud in full sentences by announce()
      "aria-label": "Messages",
      tabindex: "0",
      "data-testid": `${side}-messages`,
    }),
    toasts: el("div", { class: "toasts" }),
    front: el("div", { class: "front" }),
  };
}

/** Put the parts together: the title bar, the sidebar with `nav`, and `main` from top to bottom. */
export function frame(root, { product, mark, sidebarLabel, identity, faces, nav, main, front }) {
  const logo = el("span", { class: "product-mark", "aria-hidden": "true" }, mark);
  root.append(
    el("header", { class: "titlebar" }, el("span", { class: "product" }, logo, product), identity, faces),
    el(
      "div",
      { class: "columns" },
      el("nav", { class: "sidebar", "aria-label": sidebarLabel }, nav),
      el("div", { class: "main" }, main),
      front,
    ),
  );
}

/** An entry of the sidebar, for `reconcile`. */
export function placeItem({ id, name, mark, unread, current, testid, open }) {
  const attributes = {
    type: "button",
    class: unread ? "unread" : "",
    "aria-current": current ? "true" : null,
    "data-testid": testid,
    "data-name": name,
    "data-focus": "place",
    onclick: open,
  };
  const count = () => el("span", { class: "count", "aria-label": `${unread} unread` }, String(unread));
  const build = () =>
    el("li", {}, el("button", attributes, mark, el("span", { class: "place-name" }, name), unread ? count() : null));
  return { key: id, signature: JSON.stringify([name, unread, current]), build };
}

/**
 * Show these messages, or `beginning` when there are none. Somebody who reads the newest goes on doing so, and whoever opens
 * another place (`key`) begins there. Returns whether it is another place.
 */
export function showMessageList(list, key, items, beginning) {
  const moved = list.dataset.place !== key;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const nothing = {
    key: "beginning",
    signature: beginning,
    build: () => el("p", { class: "beginning" }, beginning),
  };
  list.dataset.place = key;
  reconcile(list, items.length ? items : [nothing]);
  if (moved || atEnd) list.scrollTop = list.scrollHeight;
  return moved;
}
