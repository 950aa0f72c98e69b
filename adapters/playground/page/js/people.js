// Choosing who you are: a row of faces, one of which is you.

import { el, reconcile } from "./dom.js";

const COLOURS = [
  "#8b4a9c",
  "#1f7a8c",
  "#b3541e",
  "#2d6a4f",
  "#a4303f",
  "#3a5a98",
  "#7a5c00",
  "#5b4b8a",
  "#00685e",
  "#94426d",
];

export function initials(name) {
  const words = name
    .replaceAll(/[^\p{L}\p{N} -]/gu, "")
    .split(/[ -]+/)
    .filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

function colourOf(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return COLOURS[sum % COLOURS.length];
}

/** A face: initials on a colour that stays with the name; the bot has its own. */
export function avatar(name, { bot = false } = {}) {
  const face = el(
    "span",
    { class: bot ? "avatar is-bot" : "avatar", "aria-hidden": "true" },
    bot ? "SU" : initials(name),
  );
  if (!bot) face.style.backgroundColor = colourOf(name);
  return face;
}

/**
 * A radio group of faces. `side` names it for tests ("slack", "teams"); `choose(id)` is called for the one picked.
 * The returned function shows {id, handle, name, role, disabled, unread} of each, and who is chosen.
 */
export function peopleRow(side, choose) {
  const row = el("div", {
    class: "people",
    role: "radiogroup",
    "aria-label": "Who you are",
    onkeydown: (event) => step(row, event),
  });
  const show = (people, chosen) =>
    reconcile(
      row,
      people.map((person) => ({
        key: person.id,
        signature: JSON.stringify([person, person.id === chosen]),
        build: () => face(side, person, person.id === chosen, choose),
      })),
    );
  return { row, show };
}

function face(side, person, chosen, choose) {
  const label = `${person.name}, ${person.role}${person.unread ? ", has unread messages" : ""}`;
  return el(
    "button",
    {
      type: "button",
      role: "radio",
      class: "person",
      title: label,
      "aria-label": label,
      "aria-checked": String(chosen),
      tabindex: chosen ? "0" : "-1",
      "data-testid": `${side}-person`,
      "data-person": person.handle,
      "data-focus": "face",
      onclick: () => choose(person.id),
    },
    avatar(person.name),
    person.unread ? el("span", { class: "unread-dot" }) : null,
  );
}

function step(row, event) {
  const direction = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!direction) return;
  event.preventDefault();
  const faces = [...row.children];
  const next = faces[(faces.indexOf(document.activeElement) + direction + faces.length) % faces.length];
  const { person } = next.dataset;
  next.click();
  row.querySelector(`[data-person="${CSS.escape(person)}"]`)?.focus();
}
