// What to try: the few steps from a new rollout to the first reminder, each with a button that helps.

import { el, icon } from "./dom.js";

const isCommand = (word) => (event) =>
  event.kind === "command" && new RegExp(`(^|\\s)/?${word}\\b`).test(event.detail);

/** Each step: title, what to do, label of its button, what the button does, what counts as done. */
const STEPS = [
  {
    title: "Be the admin",
    text: "The faces in a title bar are the people of that side. Choose one who may set up the rollout.",
    label: "Be the admin in Slack",
    help: ({ slack }) => slack.become((person) => person.admin),
    done: (event, sides) =>
      (event.kind === "person" && event.detail.admin) || (event.kind === "command" && sides[event.side].me().admin),
  },
  {
    title: "Set it up",
    text: "Type /sso setup and press Enter. (In Teams: sso setup, in the chat with SSO Usher.)",
    label: "Write it for me",
    help: ({ slack }) => slack.fill("/sso setup"),
    done: isCommand("setup"),
  },
  {
    title: "Fill in the dialog",
    text: "Go through the steps. Any https address on sonarcloud.io will do as the login URL.",
    label: null,
    // A Slack modal closes after its last step; a Teams card does not tell which step it was.
    done: (event) => event.kind === "submit" && (event.side === "teams" || event.detail === "closed"),
  },
  {
    title: "Invite people",
    text: "Type /sso invite @engineering, look who would be written to, and confirm.",
    label: "Write it for me",
    help: ({ slack }) => slack.fill("/sso invite @engineering"),
    done: isCommand("invite"),
  },
  {
    title: "Be an invitee",
    text: "A dot on a face means that the bot has written. Become Alice, and read her direct message.",
    label: "Become Alice",
    help: async ({ slack }) => {
      await slack.become((person) => person.name === "alice");
      slack.openBot();
    },
    done: (event) => event.kind === "person" && !event.detail.admin,
  },
  {
    title: "Confirm",
    text: "Press the login button, then confirm what you can see; or say that you have a problem.",
    label: null,
    done: (event, sides) => event.kind === "press" && !sides[event.side].me().admin,
  },
  {
    title: "Let time pass",
    text: "Reminders come on working days, in each person’s own time zone, until everything is confirmed.",
    label: "Next working day",
    help: ({ clock }) => clock.forward(clock.toMorning()),
    done: (event) => event.kind === "clock",
  },
  {
    title: "See where they stand",
    text: "As the admin, type /sso status. That is the whole story: now break it, or do it in Teams.",
    label: "Write it for me",
    help: async ({ slack }) => {
      await slack.become((person) => person.admin);
      slack.fill("/sso status");
    },
    done: isCommand("status"),
  },
];

/** `sides` is {slack, teams, clock}. Returns {happened(kind, side, detail)}. */
export function startTour(root, sides) {
  const tour = { root, sides, done: new Set(), shown: null };
  show(tour);
  return { happened: (kind, side, detail) => happened(tour, { kind, side, detail }) };
}

function happened(tour, event) {
  const next = current(tour);
  // Doing a later step means that one has found the way: what lies before it is done too.
  STEPS.forEach((step, number) => {
    if (number >= next && step.done(event, tour.sides) && (number === next || event.kind === "command"))
      range(number).forEach((each) => tour.done.add(each));
  });
  tour.shown = null;
  show(tour);
}

const range = (last) => [...Array(last + 1).keys()];

function current(tour) {
  const open = STEPS.findIndex((_, number) => !tour.done.has(number));
  return open < 0 ? STEPS.length : open;
}

function show(tour) {
  const next = current(tour);
  const shown = tour.shown ?? Math.min(next, STEPS.length - 1);
  const had = tour.root.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  tour.root.replaceChildren(
    el("h2", {}, "What to try"),
    el(
      "ol",
      {},
      STEPS.map((step, number) => pill(tour, step, number, { next, shown })),
    ),
    words(tour, STEPS[shown], next === STEPS.length && shown === STEPS.length - 1),
  );
  if (had) tour.root.querySelector(`[data-focus="${CSS.escape(had)}"]`)?.focus();
}

function pill(tour, step, number, { next, shown }) {
  const done = tour.done.has(number);
  return el(
    "li",
    {},
    el(
      "button",
      {
        type: "button",
        class: `${done ? "done" : ""} ${number === shown ? "shown" : ""}`,
        "data-testid": "tour-step",
        "data-focus": `step ${number}`,
        "aria-current": number === next ? "step" : null,
        onclick: () => ((tour.shown = number), show(tour)),
      },
      el("span", { class: "number" }, done ? icon("check") : String(number + 1)),
      step.title,
      done ? el("span", { class: "only-read-aloud" }, " (done)") : null,
    ),
  );
}

function words(tour, step, finished) {
  return el(
    "p",
    { class: "tour-text" },
    el(
      "span",
      {},
      finished ? "All done. Try it in Teams too, report a problem as an invitee, or pause the rollout." : step.text,
    ),
    step.label && !finished
      ? el(
          "button",
          {
            type: "button",
            class: "button primary small",
            "data-testid": "tour-do",
            "data-focus": "do",
            onclick: () => step.help(tour.sides),
          },
          step.label,
        )
      : null,
  );
}
