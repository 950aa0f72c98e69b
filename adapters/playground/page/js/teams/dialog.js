// The dialog (Microsoft used to say: task module) in front of the Teams side.

import { el, icon } from "../dom.js";
import { linkNotice, panel } from "../overlay.js";
import { cardNode } from "./card.js";
import { markdown } from "./markdown.js";

const WIDTHS = { small: 320, medium: 460, large: 560 };

/** `act` is {submit(data, inputs), close()}. Returns show(dialog, people), to be called with every new state. */
export function dialogHost(host, act, focusAfterwards) {
  let current = null;
  return function show(dialog, people) {
    const signature = JSON.stringify(dialog);
    if (current?.signature === signature || (!current && !dialog)) return;
    const inside = !current || current.node.contains(document.activeElement);
    current?.node.remove();
    current = dialog ? { signature, node: draw(dialog, people, act) } : null;
    if (current) host.append(current.node);
    if (inside) current ? first(current.node).focus() : focusAfterwards();
  };
}

const first = (node) =>
  node.querySelector(".dialog-body input, .dialog-body select, .dialog-body textarea, .dialog-body button") ??
  node.firstElementChild;

function draw(dialog, people, act) {
  const title = dialog.title || "SSO Usher";
  const node = panel(
    { label: title, testid: "teams-dialog", close: act.close, className: "panel dialog" },
    el(
      "header",
      {},
      el("h2", {}, title),
      el(
        "button",
        {
          type: "button",
          class: "icon-button",
          "aria-label": "Close",
          "data-testid": "teams-dialog-close",
          onclick: act.close,
        },
        icon("close"),
      ),
    ),
    el("div", { class: "dialog-body" }, content(dialog, people, act)),
  );
  const width = WIDTHS[dialog.width] ?? Number(dialog.width);
  if (width) node.firstElementChild.style.maxWidth = `${Math.min(width, 600)}px`;
  return node;
}

function content(dialog, people, act) {
  if (dialog.card)
    return cardNode(dialog.card, { people, send: (action, inputs) => act.submit(action.data, inputs) });
  if (dialog.url)
    return el("button", { type: "button", class: "button", onclick: () => linkNotice(dialog.url) }, dialog.url);
  return markdown(dialog.message ?? "");
}
