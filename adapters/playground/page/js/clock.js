// The bot's clock: shows it in the time zone of whoever acted last, and moves it forward.

import { el, icon } from "./dom.js";
import { hoursToWorkingMorning, placeOf, shortDayOf, timeOf } from "./moments.js";
import { api } from "./live.js";

const ASK_EVERY = 5000;

/** `moved()` is called when a person has moved it, `ticked()` whenever it shows another minute. */
export function startClock(root, { moved, ticked }) {
  const clock = { server: api("/playground"), now: new Date(), zone: "UTC", moved, ticked };
  clock.face = el("time", { class: "clock-now", "data-testid": "clock-now" });
  clock.note = el("span", { class: "clock-note" });
  const step = (name, label, title, hours) =>
    el(
      "button",
      {
        type: "button",
        class: "button",
        title,
        "data-testid": "clock-forward",
        "data-step": name,
        onclick: (event) => forward(clock, event.currentTarget, hours()),
      },
      label,
    );
  root.append(
    el("div", { class: "clock-face" }, icon("clock"), el("div", {}, clock.face, clock.note)),
    el(
      "div",
      { class: "clock-steps" },
      step("hour", "+1 hour", "Move the bot’s clock forward by an hour", () => 1),
      step("day", "+1 day", "Move the bot’s clock forward by a day", () => 24),
      step(
        "working-day",
        "Next working day, 9:00",
        "Move the bot’s clock to nine in the morning of the next working day",
        () => hoursToWorkingMorning(clock.now, clock.zone),
      ),
    ),
  );
  setInterval(() => look(clock), ASK_EVERY);
  return {
    ready: look(clock),
    now: () => clock.now,
    forward: (hours) => forward(clock, root.querySelector("[data-step=hour]"), hours),
    showFor: (zone) => showFor(clock, zone),
    toMorning: () => hoursToWorkingMorning(clock.now, clock.zone),
  };
}

async function look(clock) {
  // An unreachable playground is shown on both sides already.
  const answer = await clock.server.get("/clock").catch(() => null);
  if (answer) set(clock, answer.now);
}

function set(clock, now) {
  clock.now = new Date(now);
  show(clock);
}

function showFor(clock, zone) {
  if (!zone) return;
  clock.zone = zone;
  show(clock);
}

function show(clock) {
  const words = `${shortDayOf(clock.now, clock.zone)}, ${timeOf(clock.now, clock.zone)}`;
  const note = `The bot’s time, in ${placeOf(clock.zone)}`;
  clock.face.setAttribute("datetime", clock.now.toISOString());
  if (clock.face.textContent === words && clock.note.textContent === note) return;
  clock.face.textContent = words;
  clock.note.textContent = note;
  clock.ticked();
}

async function forward(clock, button, hours) {
  button.setAttribute("aria-busy", "true");
  const answer = await clock.server.post("/clock", { hours }).catch(() => null);
  button.removeAttribute("aria-busy");
  if (!answer) return;
  set(clock, answer.now);
  clock.moved();
}
