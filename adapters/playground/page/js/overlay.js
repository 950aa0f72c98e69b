// What comes in front: the notice about a link, questions before a button, warnings that pass.

import { el, icon } from "./dom.js";

const HIDE_AFTER = 9000;

/** Show where a link would lead, instead of leaving: the sign-in page cannot be reached in a demo without a network. */
export function linkNotice(url, label = "") {
  const dialog = document.getElementById("link-notice");
  dialog.querySelector("[data-testid=link-notice-url]").textContent = url;
  dialog.querySelector(".link-notice-label").textContent = label
    ? `“${label}” opens this address in the browser:`
    : "This opens in the browser:";
  if (!dialog.open) dialog.showModal();
}

/** An anchor that shows the notice; an address that is not for the web or for mail stays plain text. */
export function safeLink(url, ...children) {
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return el("span", {}, children.length ? children : url);
  const open = (event) => (event.preventDefault(), linkNotice(url));
  return el("a", { href: url, rel: "noreferrer", onclick: open }, children.length ? children : url);
}

/** A panel in front of one side only, with the keyboard kept inside it. `close` is what Escape does. */
export function panel({ label, testid, close, className = "panel" }, ...children) {
  const box = el(
    "div",
    {
      class: className,
      role: "dialog",
      "aria-modal": "true",
      "aria-label": label,
      "data-testid": testid,
      tabindex: "-1",
    },
    children,
  );
  return el("div", { class: "backdrop", onkeydown: (event) => keepInside(box, event, close) }, box);
}

function keepInside(box, event, close) {
  if (event.key === "Escape") {
    event.stopPropagation();
    close();
  } else if (event.key === "Tab") {
    const stops = focusable(box);
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (document.activeElement !== edge && document.activeElement !== box) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
  }
}

function focusable(box) {
  const all = box.querySelectorAll("button, a[href], input, select, textarea, [tabindex='0']");
  return [...all].filter((each) => !each.disabled && each.offsetParent !== null);
}

/** Ask before something is done; true when it is confirmed. `words` are {title, text: Node, yes, no, danger}. */
export function ask(host, side, words) {
  const before = document.activeElement;
  return new Promise((answer) => {
    const end = (yes) => {
      overlay.remove();
      before?.focus?.();
      answer(yes);
    };
    const yes = el(
      "button",
      {
        type: "button",
        class: words.danger ? "button danger" : "button primary",
        "data-testid": `${side}-confirm-yes`,
        onclick: () => end(true),
      },
      words.yes,
    );
    const no = el(
      "button",
      { type: "button", class: "button", "data-testid": `${side}-confirm-no`, onclick: () => end(false) },
      words.no,
    );
    const overlay = panel(
      { label: words.title, testid: `${side}-confirm`, close: () => end(false), className: "panel question" },
      el("h3", {}, words.title),
      el("div", { class: "question-text" }, words.text),
      el("div", { class: "panel-actions" }, no, yes),
    );
    host.append(overlay);
    yes.focus();
  });
}

/** A passing warning or answer at the top of a side. */
export function toast(host, side, text, { kind = "message", dismissed = () => {} } = {}) {
  const end = () => {
    clearTimeout(timer);
    node.remove();
    dismissed();
  };
  const node = el(
    "div",
    { class: `toast ${kind}`, role: kind === "error" ? "alert" : "status", "data-testid": `${side}-toast` },
    el("span", {}, text),
    el("button", { type: "button", "aria-label": "Dismiss", onclick: end }, icon("close")),
  );
  const timer = setTimeout(end, HIDE_AFTER);
  host.append(node);
}
