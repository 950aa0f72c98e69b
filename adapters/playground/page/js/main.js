// The playground's one page: Slack on the left, Teams on the right, the bot's clock and a tour on top.
//
// Test ids (data-testid), for browser tests:
//   slack-window, teams-window         each side as a whole
//   slack-person, teams-person         one face each; data-person is the handle ("adam") or key ("adele"), aria-checked says who you are
//   slack-me, teams-me                 name, role and local time of who you are
//   slack-channel, teams-conversation  one entry each; data-name is its name ("general", "SSO Usher", "General")
//   slack-messages, teams-messages     the list; in it slack-message (data-ts), teams-message (data-id), slack-only-you, teams-message-error
//   slack-composer, teams-composer     where to type (Enter sends); slack-send, teams-send; slack-suggestion, teams-suggestion
//   slack-button                       a Block Kit button (data-action is its action_id); teams-button: a card's button; teams-card: a card
//   slack-modal                        the modal; in it slack-field (data-block), slack-input (name is the action_id), slack-field-error,
//                                      slack-modal-submit, slack-modal-cancel, slack-modal-close, slack-modal-trouble
//   slack-confirm, teams-confirm       a question before a button; …-confirm-yes, …-confirm-no
//   slack-tab-home, slack-tab-messages the app's tabs; slack-home: the Home tab
//   slack-toast, teams-toast           warnings and short answers
//   teams-dialog, teams-dialog-close   the dialog (task module); teams-reply: reply to a channel post
//   clock-now                          the bot's time (datetime attribute); clock-forward: one button each, data-step is "hour", "day" or "working-day"
//   tour, tour-step, tour-do           what to try (aria-current is the step to do next), and the button that helps with it
//   link-notice                        where a link would lead; link-notice-url, link-notice-close

import { startClock } from "./clock.js";
import { startTour } from "./tour.js";
import { slackSide } from "./slack/side.js";
import { teamsSide } from "./teams/side.js";

const element = (id) => document.getElementById(id);

async function start() {
  const config = await (await fetch("/playground/config")).json();
  const sides = {};
  let tour = null;
  const clock = startClock(element("clock"), {
    moved: () => tour?.happened("clock"),
    ticked: () => Object.values(sides).forEach((side) => side.redraw()),
  });
  const happened = (side) => (kind, detail) => {
    clock.showFor(sides[side]?.me().tz);
    tour?.happened(kind, side, detail);
  };
  await clock.ready;
  const options = (side) => ({ base: config[side], admins: config.admins, happened: happened(side), now: clock.now });
  [sides.slack, sides.teams] = await Promise.all([
    slackSide(element("slack"), options("slack")),
    teamsSide(element("teams"), options("teams")),
  ]);
  clock.showFor(sides.slack.me().tz);
  tour = startTour(element("tour"), { ...sides, clock });
  document.body.dataset.ready = "true";
}

start();
