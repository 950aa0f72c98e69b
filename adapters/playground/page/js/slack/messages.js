// The message list of a channel or direct message, as Slack shows it.

import { el } from "../dom.js";
import { avatar } from "../people.js";
import { dayOf, timeOf } from "../moments.js";
import { blocks, initialValues } from "./blocks.js";
import { mrkdwn } from "./mrkdwn.js";

const GROUP_SECONDS = 300;

/**
 * Items for `reconcile`. `context` is {state, names, press(message, block, element, value), ask}.
 */
export function messageItems(channel, context) {
  const { zone } = context.names;
  let day = "";
  let previous = null;
  return channel.messages.flatMap((message) => {
    const date = new Date(Number(message.ts) * 1000);
    const items = [];
    const today = dayOf(date, zone);
    if (today !== day)
      items.push({
        key: `day ${today}`,
        signature: today,
        build: () => el("div", { class: "day" }, el("span", {}, today)),
      });
    const follows = items.length === 0 && continues(previous, message);
    items.push({
      key: message.ts,
      signature: JSON.stringify([message, follows, zone]),
      build: () => messageNode(message, date, follows, context),
    });
    day = today;
    previous = message;
    return items;
  });
}

function continues(previous, message) {
  return (
    previous !== null &&
    previous.user === message.user &&
    previous.ephemeral === message.ephemeral &&
    !message.ephemeral &&
    Number(message.ts) - Number(previous.ts) < GROUP_SECONDS
  );
}

function messageNode(message, date, follows, context) {
  const { state, names } = context;
  const author = state.people.find((each) => each.id === message.user);
  const isApp = author?.kind === "bot" || author?.kind === "slackbot";
  const name = author?.real_name ?? "Somebody";
  const time = el("time", { datetime: date.toISOString() }, timeOf(date, names.zone));
  return el(
    "article",
    {
      class: `message${follows ? " follows" : ""}${message.ephemeral ? " ephemeral" : ""}`,
      "data-testid": "slack-message",
      "data-ts": message.ts,
      "aria-label": `${name}, ${timeOf(date, names.zone)}`,
    },
    follows ? el("div", { class: "gutter" }, time) : avatar(name, { bot: author?.kind === "bot" }),
    el(
      "div",
      { class: "message-body" },
      message.ephemeral
        ? el("div", { class: "only-you", "data-testid": "slack-only-you" }, "Only visible to you")
        : null,
      follows
        ? null
        : el(
            "div",
            { class: "byline" },
            el("strong", {}, name),
            isApp ? el("span", { class: "app-badge" }, "APP") : null,
            time,
          ),
      content(message, context),
      message.edited ? el("span", { class: "edited" }, "(edited)") : null,
    ),
  );
}

function content(message, context) {
  if (!message.blocks?.length) return el("div", { class: "text" }, mrkdwn(message.text, context.names));
  const surface = {
    state: context.state,
    names: context.names,
    ask: context.ask,
    values: merged(initialValues(message.blocks), message.values),
    send: (block, element, value) =>
      context.press({ channel: message.channel, ts: message.ts }, block, element, value),
  };
  return el("div", { class: "blocks" }, blocks(message.blocks, surface).nodes);
}

function merged(initial, picked) {
  const values = { ...initial };
  for (const [block, fields] of Object.entries(picked ?? {})) values[block] = { ...values[block], ...fields };
  return values;
}
