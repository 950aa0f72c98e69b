// The line in which people type: sends with Enter, remembers what was sent, and suggests commands and names.

import { el, icon } from "./dom.js";

/** What the bot understands: word, what follows it, what it does. */
export const COMMANDS = [
  ["setup", "", "Set a rollout up, step by step"],
  ["invite", "@team @person name@example.com", "Invite people to sign in with SSO"],
  ["status", "@person", "Where everyone stands"],
  ["remind", "", "Remind those who are not done yet"],
  ["pause", "", "Stop reminders for a while"],
  ["resume", "", "Let reminders go on"],
  ["exempt", "@person reason", "Leave somebody out, with a reason"],
  ["help", "", "What you can ask for"],
];

/**
 * `suggest(text)` gives [{insert, label, hint}] for what has been typed so far; `send(text)` posts it.
 * `history` is a list that the composer adds to. Returns {node, fill(text), focus(), describe(label)}.
 */
export function composer({ side, send, suggest, history }) {
  const box = el("textarea", {
    rows: "1",
    class: "composer-input",
    "data-testid": `${side}-composer`,
    role: "combobox",
    "aria-expanded": "false",
    "aria-autocomplete": "list",
    "aria-controls": `${side}-suggestions`,
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = el("ul", {
    class: "suggestions",
    id: `${side}-suggestions`,
    role: "listbox",
    "aria-label": "Suggestions",
    hidden: true,
  });
  const button = el(
    "button",
    { type: "submit", class: "send", "aria-label": "Send", title: "Send", "data-testid": `${side}-send` },
    icon("send", true),
  );
  const state = { box, list, button, side, send, suggest, history, offers: [], marked: -1, recalled: history.length };
  const node = el(
    "form",
    { class: "composer", onsubmit: (event) => (event.preventDefault(), submit(state)) },
    list,
    box,
    button,
  );
  box.addEventListener("input", () => typed(state));
  box.addEventListener("keydown", (event) => pressed(state, event));
  box.addEventListener("blur", () => offer(state, []));
  return {
    node,
    fill: (text) => fill(state, text),
    focus: () => box.focus(),
    describe: (label) => describe(state, label),
  };
}

function describe({ box }, label) {
  box.placeholder = label;
  box.setAttribute("aria-label", label);
}

function fill(state, text) {
  put(state, text);
  state.box.focus();
  // Newcomers find what they are to type already written, and in sight.
  state.box.scrollIntoView({ block: "nearest" });
}

function put(state, text) {
  state.box.value = text;
  resize(state.box);
  state.box.setSelectionRange(text.length, text.length);
  state.button.classList.toggle("ready", text.trim() !== "");
}

function resize(box) {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 120)}px`;
}

function typed(state) {
  resize(state.box);
  state.recalled = state.history.length;
  state.button.classList.toggle("ready", state.box.value.trim() !== "");
  offer(state, state.suggest(state.box.value));
}

async function submit(state) {
  const text = state.box.value.trim();
  if (!text) return;
  if (state.history.at(-1) !== text) state.history.push(text);
  state.recalled = state.history.length;
  put(state, "");
  offer(state, []);
  await state.send(text);
}

function offer(state, offers) {
  state.offers = offers;
  state.marked = -1;
  state.list.hidden = offers.length === 0;
  state.box.setAttribute("aria-expanded", String(offers.length > 0));
  state.list.replaceChildren(...offers.map((each, number) => suggestion(state, each, number)));
  mark(state, -1);
}

function suggestion(state, { insert, label, hint }, number) {
  // mousedown, since a click would come after the blur that hides the list
  const take = (event) => (event.preventDefault(), accept(state, insert));
  return el(
    "li",
    {
      role: "option",
      id: `${state.side}-suggestion-${number}`,
      "aria-selected": "false",
      "data-testid": `${state.side}-suggestion`,
      onmousedown: take,
    },
    el("strong", {}, label),
    el("span", {}, hint),
  );
}

function accept(state, insert) {
  put(state, insert);
  typed(state);
  state.box.focus();
}

function mark(state, number) {
  state.marked = number;
  [...state.list.children].forEach((option, each) => option.setAttribute("aria-selected", String(each === number)));
  state.list.children[number]?.scrollIntoView({ block: "nearest" });
  if (number < 0) state.box.removeAttribute("aria-activedescendant");
  else state.box.setAttribute("aria-activedescendant", `${state.side}-suggestion-${number}`);
}

function pressed(state, event) {
  if (event.isComposing) return;
  const offering = state.offers.length > 0;
  if (event.key === "Enter" && !event.shiftKey) enter(state, event);
  else if (event.key === "Tab" && offering && !event.shiftKey) choose(state, event, Math.max(state.marked, 0));
  else if (event.key === "Escape" && offering) (event.stopPropagation(), offer(state, []));
  else if (event.key === "ArrowUp" || event.key === "ArrowDown")
    arrow(state, event, event.key === "ArrowUp" ? -1 : 1, offering);
}

function enter(state, event) {
  if (state.marked >= 0) choose(state, event, state.marked);
  else (event.preventDefault(), submit(state));
}

function choose(state, event, number) {
  event.preventDefault();
  accept(state, state.offers[number].insert);
}

function arrow(state, event, direction, offering) {
  if (offering) {
    event.preventDefault();
    mark(state, (state.marked + direction + state.offers.length) % state.offers.length);
  } else if (state.box.value === "" || state.recalled < state.history.length) {
    event.preventDefault();
    state.recalled = Math.max(0, Math.min(state.history.length, state.recalled + direction));
    put(state, state.history[state.recalled] ?? "");
  }
}

/** Commands that begin like `text`; `prefix` is what stands before the word ("/sso "). */
export function suggestCommands(text, prefix) {
  const typedSoFar = text.toLowerCase();
  return COMMANDS.map(([word, rest, hint]) => ({
    insert: `${prefix}${word}${rest ? " " : ""}`,
    label: `${prefix}${word} ${rest}`.trim(),
    hint,
  })).filter(
    ({ insert }) => insert.toLowerCase().startsWith(typedSoFar) && insert.trim().toLowerCase() !== typedSoFar.trim(),
  );
}

/** Names for a half-typed @ or # word at the end of `text`, from [{mark: "@", name, hint}]. */
export function suggestNames(text, names) {
  const match = /(^|\s)([@#])([^\s@#]*)$/.exec(text);
  if (!match) return [];
  const [, , sign, begun] = match;
  const before = text.slice(0, text.length - begun.length - 1);
  return names
    .filter((each) => each.mark === sign && each.name.toLowerCase().includes(begun.toLowerCase()))
    .slice(0, 7)
    .map((each) => ({ insert: `${before}${sign}${each.name} `, label: `${sign}${each.name}`, hint: each.hint }));
}
