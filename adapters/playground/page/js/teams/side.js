// The right side: the emulated Teams tenant as one person sees it.

import { announce, el } from "../dom.js";
import { api, follow, oneAtATime, whenQuiet } from "../live.js";
import { peopleRow } from "../people.js";
import { composer, suggestCommands, suggestNames } from "../composer.js";
import { toast } from "../overlay.js";
import { frame, parts } from "../window.js";
import { isAdmin, showBanner, showHead, showMe, showMessages, showPlaces, unreadIn } from "./content.js";
import { dialogHost } from "./dialog.js";

const MOST_LOOKED_AFTER = 12;

/**
 * Draws the side into `root`. `happened(kind, detail)` hears what the person does: "person", "command", "submit", "press".
 * `now()` is the bot's time. Returns {become(test), fill(text), openBot(), me(), redraw()}.
 */
export async function teamsSide(root, { base, admins, happened, now }) {
  const side = {
    root,
    admins,
    happened,
    now,
    server: api(base),
    state: null,
    me: null,
    open: {},
    seen: {},
    waiting: {},
    toasted: new Set(),
    thread: null,
    stop: () => {},
  };
  side.act = actions(side);
  draw(side);
  side.refresh = oneAtATime(() => refresh(side));
  side.lookAfterOthers = whenQuiet(() => lookAfterOthers(side), 600);
  side.everybody = (await side.server.get("/people")).people;
  side.me = (side.everybody.find((each) => isAdmin(side, each)) ?? side.everybody[0]).key;
  listen(side);
  await side.refresh();
  return {
    become: (test) =>
      choose(side, side.everybody.find((each) => test({ ...each, admin: isAdmin(side, each) }))?.key ?? side.me),
    fill: (text) => side.composer.fill(text),
    openBot: () => openConversation(side, side.state.conversations.find((each) => each.kind === "personal").id),
    me: () => ({ ...side.state.me, admin: isAdmin(side, side.state.me), tz: side.state.me.timezone }),
    redraw: () => side.state && showMe(side),
  };
}

/** While the line is open the person counts as looking, so there is one for the chosen person only. */
function listen(side) {
  side.stop();
  side.stop = follow(side.server.eventsUrl({ as: side.me }), side.refresh, (up) =>
    side.root.classList.toggle("offline", !up),
  );
}

function draw(side) {
  Object.assign(side, parts("teams"));
  side.people = peopleRow("teams", (id) => choose(side, id));
  side.chats = el("ul", {});
  side.team = el("h3", {});
  side.channels = el("ul", {});
  side.heading = el("div", { class: "channel-head" });
  side.banner = el("div", { class: "banner", hidden: true });
  const instead = el("button", { type: "button", onclick: () => replyTo(side, null) }, "New post instead");
  side.replying = el("div", { class: "replying", hidden: true }, "Replying in a thread", instead);
  side.composer = composer({
    side: "teams",
    history: [],
    send: (text) => type(side, text),
    suggest: (text) => suggest(side, text),
  });
  const close = () => send(side, "/dialog/close", {});
  const submit = (data, inputs) => submitDialog(side, data, inputs);
  side.dialog = dialogHost(side.front, { submit, close }, side.composer.focus);
  frame(side.root, {
    product: "Teams",
    mark: "T",
    sidebarLabel: "Chats and channels",
    identity: side.identity,
    faces: side.people.row,
    nav: [el("strong", { class: "team-name" }, "Chat"), side.chats, side.team, side.channels],
    main: [side.heading, side.banner, side.messages, side.replying, side.composer.node, side.toasts],
    front: side.front,
  });
}

/** What pressing something on this side does. */
function actions(side) {
  return {
    openConversation: (id) => openConversation(side, id),
    press: (place, message, action, inputs) => press(side, place, message, action, inputs),
    replyTo: (thread) => replyTo(side, thread),
    send: (path, body) => send(side, path, body),
  };
}

async function choose(side, key) {
  if (!key) return;
  if (key !== side.me) {
    side.me = key;
    side.thread = null;
    listen(side);
    await side.refresh();
  }
  const me = side.state.me;
  side.happened("person", { ...me, admin: isAdmin(side, me), tz: me.timezone });
  send(side, "/refresh", { conversation: openPlace(side).id });
}

async function refresh(side) {
  const asked = side.me;
  const state = await side.server.get("/state", { as: asked }).catch(() => null);
  if (!state || asked !== side.me) return;
  const before = side.state;
  side.state = state;
  show(side, before);
  side.lookAfterOthers();
}

const personal = (state) => state.conversations.find((each) => each.kind === "personal");
const openPlace = (side) =>
  side.state.conversations.find((each) => each.id === side.open[side.me]) ??
  personal(side.state) ??
  side.state.conversations[0];

function show(side, before) {
  const place = openPlace(side);
  side.everybody = side.state.people;
  showMe(side);
  showPlaces(side, place);
  showHead(side, place);
  showBanner(side, place);
  showMessages(side, place, before);
  side.replying.hidden = side.thread === null;
  side.dialog(side.state.dialog, side.state.people);
  showToasts(side);
}

function openConversation(side, id) {
  side.open[side.me] = id;
  side.thread = null;
  show(side, null);
  send(side, "/refresh", { conversation: id });
}

function replyTo(side, thread) {
  side.thread = thread;
  side.replying.hidden = thread === null;
  side.composer.focus();
}

async function type(side, text) {
  const place = openPlace(side);
  const { thread } = side;
  side.thread = null;
  side.happened("command", text);
  await send(side, "/messages", { conversation: place.id, text, thread });
}

async function press(side, place, message, action, inputs) {
  const answer = await send(side, "/actions", { conversation: place.id, message: message.id, action, inputs });
  if (answer) side.happened(Object.keys(inputs).length ? "submit" : "press", action.verb ?? "");
}

async function submitDialog(side, data, inputs) {
  if (await send(side, "/dialog/submit", { data, inputs })) side.happened("submit", "");
}

async function send(side, path, body) {
  try {
    return await side.server.post(path, { as: side.me, ...body });
  } catch (problem) {
    toast(side.toasts, "teams", problem.message, { kind: "error" });
    return null;
  }
}

function showToasts(side) {
  const as = side.me;
  for (const { id, text, kind } of side.state.toasts) {
    if (side.toasted.has(id)) continue;
    side.toasted.add(id);
    announce(`Teams: ${text}`);
    toast(side.toasts, "teams", text, { kind, dismissed: () => send(side, "/toasts/dismiss", { as, id }) });
  }
}

/** A dot on the faces of those who have something new from the bot: a newcomer sees whom the bot wrote to. */
async function lookAfterOthers(side) {
  for (const person of side.everybody.slice(0, MOST_LOOKED_AFTER)) {
    if (person.key === side.me) continue;
    const state = await side.server.get("/state", { as: person.key }).catch(() => null);
    const chat = state && personal(state);
    side.waiting[person.key] = chat ? unreadIn(side, person, chat) > 0 : false;
  }
  side.waiting[side.me] = false;
  showMe(side);
}

function suggest(side, text) {
  const channel = openPlace(side).kind === "channel";
  const prefix = channel ? `@${side.state.bot.name} sso ` : text.startsWith("/") ? "/sso " : "sso ";
  const commands = text && suggestCommands(text, prefix);
  if (commands.length || !text) return commands || [];
  return suggestNames(text, [
    ...side.everybody.map((each) => ({ mark: "@", name: each.name, hint: each.email })),
    ...side.state.tags.map((each) => ({ mark: "@", name: each.name, hint: "Tag" })),
    ...(side.state.team ? [{ mark: "@", name: side.state.team.name, hint: "The whole team" }] : []),
  ]);
}
