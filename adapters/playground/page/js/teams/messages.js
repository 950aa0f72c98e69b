// The messages of a chat or channel, as Teams shows them.

import { el } from "../dom.js";
import { avatar } from "../people.js";
import { dayOf, timeOf } from "../moments.js";
import { cardNode } from "./card.js";
import { markdown } from "./markdown.js";

/** Items for `reconcile`. `context` is {state, zone, press(message, action, inputs), reply(thread)}. */
export function messageItems(conversation, context) {
  let day = "";
  return threaded(conversation).flatMap((message) => {
    const date = new Date(message.at);
    const today = dayOf(date, context.zone);
    const items =
      today === day
        ? []
        : [
            {
              key: `day ${today}`,
              signature: today,
              build: () => el("div", { class: "day" }, el("span", {}, today)),
            },
          ];
    day = today;
    // Whether a press is under way is shown without drawing the card anew: its inputs hold what was typed.
    const { busy, error, ...rest } = message;
    items.push({
      key: message.id,
      signature: JSON.stringify([rest, context.zone, conversation.id]),
      build: () => messageNode(conversation, message, date, context),
    });
    return items;
  });
}

/** A channel's posts, each followed by its replies. */
function threaded({ kind, messages }) {
  if (kind !== "channel") return messages;
  return messages
    .filter((each) => each.thread === each.id)
    .flatMap((post) => messages.filter((each) => each.thread === post.id));
}

/** Show presses that are under way, and those that failed. */
export function markBusy(container, messages) {
  for (const { id, busy, error } of messages) {
    const node = container.querySelector(`[data-key="${CSS.escape(id)}"]`);
    if (!node) continue;
    node.classList.toggle("busy", busy);
    node.querySelectorAll(".ac-pushButton").forEach((button) => button.setAttribute("aria-disabled", String(busy)));
    const line = node.querySelector(".message-error");
    line.hidden = !error;
    line.textContent = error ?? "";
  }
}

function messageNode(conversation, message, date, context) {
  const mine = message.from.id === context.state.me.id;
  const isReply = conversation.kind === "channel" && message.thread !== message.id;
  const own = mine && conversation.kind === "personal";
  const reply =
    conversation.kind === "channel" && !isReply
      ? el(
          "button",
          { type: "button", class: "reply", "data-testid": "teams-reply", onclick: () => context.reply(message.id) },
          "Reply",
        )
      : null;
  return el(
    "article",
    {
      class: `message${own ? " mine" : ""}${isReply ? " is-reply" : ""}`,
      "data-testid": "teams-message",
      "data-id": message.id,
      "aria-label": `${message.from.name}, ${timeOf(date, context.zone)}`,
    },
    own ? null : avatar(message.from.name, { bot: message.from.bot }),
    el(
      "div",
      { class: "message-body" },
      el(
        "div",
        { class: "byline" },
        own ? null : el("strong", {}, message.from.name),
        el("time", { datetime: date.toISOString() }, timeOf(date, context.zone)),
        message.edited ? el("span", { class: "edited" }, "Edited") : null,
      ),
      message.text
        ? el(
            "div",
            { class: "bubble" },
            message.textFormat === "plain" ? plainText(message.text) : markdown(message.text),
          )
        : null,
      message.card
        ? cardNode(message.card, {
            people: context.state.people,
            send: (action, inputs) => context.press(message, action, inputs),
          })
        : null,
      el("div", { class: "message-error", role: "alert", "data-testid": "teams-message-error", hidden: true }),
      reply,
    ),
  );
}

/** A person's own words: mentions marked, nothing else. */
function plainText(text) {
  return el(
    "p",
    {},
    text
      .split(/<at[^>]*>(.*?)<\/at>/)
      .map((part, number) => (number % 2 ? el("span", { class: "mention" }, part) : part)),
  );
}
