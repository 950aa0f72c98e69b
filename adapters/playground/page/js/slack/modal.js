// The modal in front of the Slack side. It is drawn anew only when the bot changed the view, and keeps what is typed.

import { el, icon } from "../dom.js";
import { whenQuiet } from "../live.js";
import { panel } from "../overlay.js";
import { blocks, plainValues } from "./blocks.js";
import { withEmoji } from "./emoji.js";

const FILL_AFTER = 400;

/**
 * `act` is {fill(view, values), submit(view, values), press(where, block, element, value, values), close(view, clear), ask}.
 * Returns show(state, names), to be called with every new state.
 */
export function modalHost(host, act, focusAfterwards) {
  let current = null;
  return function show(state, names) {
    const view = state.modal;
    const signature = view && JSON.stringify([view.id, view.hash, view.title, view.submit, view.close, view.blocks]);
    if (!view) {
      if (current) close(current, focusAfterwards);
      current = null;
    } else if (current?.signature !== signature) {
      current = { ...open(host, view, { state, names, act, previous: current }), signature };
    }
    if (current) showErrors(current, state.modal_errors ?? {}, state.modal_trouble);
  };
}

function close(modal, focusAfterwards) {
  const hadFocus = modal.node.contains(document.activeElement);
  modal.node.remove();
  if (hadFocus) focusAfterwards();
}

function open(host, view, { state, names, act, previous }) {
  const modal = { view, touched: new Set(), errors: "" };
  const fill = whenQuiet(() => act.fill(view, valuesOf(modal)), FILL_AFTER);
  const surface = {
    state,
    names,
    ask: act.ask,
    values: startValues(view, previous),
    changed: (block, action) => (modal.touched.add(JSON.stringify([block, action])), fill()),
    send: (block, element, value) => act.press({ view: view.id }, block, element, value, valuesOf(modal)),
  };
  const drawn = blocks(view.blocks, surface);
  Object.assign(modal, { fields: drawn.fields, node: frame(view, drawn.nodes, modal, act) });
  replace(host, modal, previous);
  return modal;
}

/** What the emulator knows, and over it what was typed since it last heard, when this is a new version of the same view. */
function startValues(view, previous) {
  const values = plainValues(view.state?.values);
  if (previous?.view.id !== view.id) return values;
  for (const { block, action, read } of previous.fields) {
    if (previous.touched.has(JSON.stringify([block, action]))) (values[block] ??= {})[action] = read();
  }
  return values;
}

function valuesOf(modal) {
  const values = {};
  for (const { block, action, read } of modal.fields) (values[block] ??= {})[action] = read();
  return values;
}

function frame(view, nodes, modal, act) {
  const title = view.title ? withEmoji(view.title.text) : "";
  const submit = async (event) => {
    event.preventDefault();
    if (modal.busy) return;
    setBusy(modal, true);
    await act.submit(view, valuesOf(modal));
    setBusy(modal, false);
    modal.node.querySelector("[aria-invalid=true]")?.focus();
  };
  const cancel = el(
    "button",
    { type: "button", class: "button", "data-testid": "slack-modal-cancel", onclick: () => act.close(view, false) },
    withEmoji(view.close?.text ?? "Cancel"),
  );
  const go = view.submit
    ? el(
        "button",
        { type: "submit", class: "button primary", "data-testid": "slack-modal-submit" },
        withEmoji(view.submit.text),
      )
    : null;
  return panel(
    { label: title, testid: "slack-modal", close: () => act.close(view, true), className: "panel modal" },
    el(
      "form",
      { novalidate: true, onsubmit: submit },
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
            "data-testid": "slack-modal-close",
            onclick: () => act.close(view, true),
          },
          icon("close"),
        ),
      ),
      el(
        "div",
        { class: "modal-body" },
        el("div", { class: "trouble", role: "alert", "data-testid": "slack-modal-trouble", hidden: true }),
        nodes,
      ),
      el("footer", {}, cancel, go),
    ),
  );
}

function setBusy(modal, busy) {
  modal.busy = busy;
  const button = modal.node.querySelector("[data-testid=slack-modal-submit]");
  if (busy) button?.setAttribute("aria-busy", "true");
  else button?.removeAttribute("aria-busy");
}

function replace(host, modal, previous) {
  const inside = host.closest(".window").contains(document.activeElement) || document.activeElement === document.body;
  const focus = previous?.view.id === modal.view.id ? document.activeElement?.dataset?.focus : null;
  const scrolled = focus ? previous.node.querySelector(".modal-body").scrollTop : 0;
  previous?.node.remove();
  host.append(modal.node);
  if (!inside) return;
  const body = modal.node.querySelector(".modal-body");
  const same = focus && modal.node.querySelector(`[data-focus="${CSS.escape(focus)}"]`);
  (
    same ||
    body.querySelector("input, select, textarea, button") ||
    modal.node.querySelector("[data-testid=slack-modal-submit]") ||
    modal.node.firstElementChild
  ).focus({ preventScroll: true });
  if (same) body.scrollTop = scrolled;
}

function showErrors(modal, errors, trouble) {
  const told = JSON.stringify([errors, trouble]);
  if (told === modal.errors) return;
  modal.errors = told;
  const line = modal.node.querySelector("[data-testid=slack-modal-trouble]");
  line.textContent = trouble ?? "";
  line.hidden = !trouble;
  for (const field of modal.node.querySelectorAll("[data-testid=slack-field]"))
    showError(field, errors[field.dataset.block]);
}

function showError(field, text) {
  const line = field.querySelector("[data-testid=slack-field-error]");
  line.textContent = text ?? "";
  line.hidden = !text;
  for (const control of field.querySelectorAll("[data-testid=slack-input]")) {
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}
