// The right side: the emulated Teams tenant as one person sees it.

import { announce, el, reconcile, stayAtEnd } from "../dom.js";
import { api, follow, oneAtATime, whenQuiet } from "../live.js";
import { avatar, peopleRow } from "../people.js";
import { composer, suggestCommands, suggestNames } from "../composer.js";
import { placeOf, timeOf } from "../moments.js";
import { toast } from "../overlay.js";
import { dialogHost } from "./dialog.js";
import { markBusy, messageItems } from "./messages.js";

const MOST_LOOKED_AFTER = 12;

/**
 * Draws the side into `root`. `happened(kind, detail)` hears what the person does: "person", "command", "submit", "press".
 * `now()` is the bot's time. Returns {become(test), fill(text), openBot(), me()}.
 */
export async function teamsSide(root, { base, admins, happened, now }) {
  const side = { root, admins, happened, now, server: api(base), state: null, me: null, open: {}, seen: {}, waiting: {}, toasted: new Set(), thread: null, stop: () => {} };
  draw(side);
  side.refresh = oneAtATime(() => refresh(side));
  side.lookAfterOthers = whenQuiet(() => lookAfterOthers(side), 600);
  side.everybody = (await side.server.get("/people")).people;
  side.me = (side.everybody.find((each) => isAdmin(side, each)) ?? side.everybody[0]).key;
  listen(side);
  await side.refresh();
  return {
    become: (test) => choose(side, side.everybody.find((each) => test({ ...each, admin: isAdmin(side, each) }))?.key ?? side.me),
    fill: (text) => side.composer.fill(text),
    openBot: () => openConversation(side, side.state.conversations.find((each) => each.kind === "personal").id),
    me: () => ({ ...side.state.me, admin: isAdmin(side, side.state.me), tz: side.state.me.timezone }),
    redraw: () => side.state && showMe(side),
  };
}

const isAdmin = (side, person) => [person.email, person.key, person.id, person.aadObjectId].some((each) => side.admins.includes(each));

function roleOf(side, person) {
  if (person.disabled) return "Account disabled";
  if (person.guest) return "Guest";
  if (!person.installed) return "Has not added SSO Usher";
  if (person.blocked) return "Has blocked SSO Usher";
  return isAdmin(side, person) ? "Admin" : "Team member";
}

/** While the line is open the person counts as looking, so there is one for the chosen person only. */
function listen(side) {
  side.stop();
  side.stop = follow(side.server.eventsUrl({ as: side.me }), side.refresh, (up) => side.root.classList.toggle("offline", !up));
}

function draw(side) {
  side.people = peopleRow("teams", (id) => choose(side, id));
  side.identity = el("div", { class: "me", "data-testid": "teams-me" });
  side.chats = el("ul", {});
  side.team = el("h3", {});
  side.channels = el("ul", {});
  side.heading = el("div", { class: "channel-head" });
  side.banner = el("div", { class: "banner", hidden: true });
  side.messages = el("div", { class: "messages", role: "log", "aria-live": "off", "aria-label": "Messages", tabindex: "0", "data-testid": "teams-messages" });
  side.replying = el("div", { class: "replying", hidden: true }, "Replying in a thread", el("button", { type: "button", onclick: () => replyTo(side, null) }, "New post instead"));
  side.toasts = el("div", { class: "toasts" });
  side.front = el("div", { class: "front" });
  side.composer = composer({ side: "teams", history: [], send: (text) => type(side, text), suggest: (text) => suggest(side, text) });
  const focus = () => side.composer.node.querySelector("textarea").focus();
  side.dialog = dialogHost(side.front, { submit: (data, inputs) => submitDialog(side, data, inputs), close: () => send(side, "/dialog/close", {}) }, focus);
  side.root.append(
    el("header", { class: "titlebar" }, el("span", { class: "product" }, el("span", { class: "product-mark", "aria-hidden": "true" }, "T"), "Teams"), side.identity, side.people.row),
    el(
      "div", { class: "columns" },
      el("nav", { class: "sidebar", "aria-label": "Chats and channels" }, el("strong", { class: "team-name" }, "Chat"), side.chats, side.team, side.channels),
      el("div", { class: "main" }, side.heading, side.banner, side.messages, side.replying, side.composer.node, side.toasts),
      side.front,
    ),
  );
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
const openPlace = (side) => side.state.conversations.find((each) => each.id === side.open[side.me]) ?? personal(side.state) ?? side.state.conversations[0];

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

function showMe(side) {
  const me = side.everybody.find((each) => each.key === side.me);
  side.identity.replaceChildren(el("strong", {}, me.name), el("span", {}, `${roleOf(side, me)} · ${timeOf(side.now(), me.timezone)} in ${placeOf(me.timezone)}`));
  side.people.show(side.everybody.map((each) => ({ id: each.key, handle: each.key, name: each.name, role: roleOf(side, each), unread: each.key !== side.me && Boolean(side.waiting[each.key]) })), side.me);
}

function unreadIn(side, person, place) {
  const seen = side.seen[`${person.key} ${place.id}`] ?? "";
  return place.messages.filter((each) => each.from.id !== person.id && each.id > seen).length;
}

function showPlaces(side, open) {
  side.seen[`${side.me} ${open.id}`] = open.messages.map((each) => each.id).sort().at(-1) ?? "";
  const item = (place) => {
    const unread = unreadIn(side, side.state.me, place);
    const mark = place.kind === "personal" ? avatar(place.name, { bot: true }) : null;
    return {
      key: place.id,
      signature: JSON.stringify([place.name, unread, place.id === open.id]),
      build: () => el("li", {}, el("button", {
        type: "button", class: unread ? "unread" : "", "aria-current": place.id === open.id ? "true" : null, "data-testid": "teams-conversation", "data-name": place.name, "data-focus": "place",
        onclick: () => openConversation(side, place.id),
      }, mark, el("span", { class: "place-name" }, place.name), unread ? el("span", { class: "count", "aria-label": `${unread} unread` }, String(unread)) : null)),
    };
  };
  side.team.textContent = side.state.team?.name ?? "";
  reconcile(side.chats, side.state.conversations.filter((each) => each.kind === "personal").map(item));
  reconcile(side.channels, side.state.conversations.filter((each) => each.kind === "channel").map(item));
}

function openConversation(side, id) {
  side.open[side.me] = id;
  side.thread = null;
  show(side, null);
  send(side, "/refresh", { conversation: id });
}

function showHead(side, place) {
  const chat = place.kind === "personal";
  const build = () => el("h2", {}, chat ? avatar(place.name, { bot: true }) : null, chat ? place.name : `${place.team} › ${place.name}`);
  reconcile(side.heading, [{ key: place.id, signature: place.name, build }]);
  side.composer.describe(chat ? "Type a message, for example: sso help" : `Post in ${place.name}; mention @${side.state.bot.name} to be heard`);
}

function showBanner(side, place) {
  const { me } = side.state;
  const trouble = place.kind === "personal" && (me.installed ? me.blocked && ["You have blocked SSO Usher.", "/unblock", "Unblock"] : ["SSO Usher is not added for you.", "/install", "Add it"]);
  side.banner.hidden = !trouble;
  if (!trouble) return;
  const [text, path, label] = trouble;
  reconcile(side.banner, [{ key: path, signature: text, build: () => el("div", {}, text, el("button", { type: "button", class: "button", onclick: () => send(side, path, {}) }, label)) }]);
}

function showMessages(side, place, before) {
  const context = { state: side.state, zone: side.state.me.timezone, press: (message, action, inputs) => press(side, place, message, action, inputs), reply: (thread) => replyTo(side, thread) };
  const items = messageItems(place, context);
  const moved = side.messages.dataset.place !== `${side.me} ${place.id}`;
  side.messages.dataset.place = `${side.me} ${place.id}`;
  stayAtEnd(side.messages, () => reconcile(side.messages, items.length ? items : [beginning(place)]), moved);
  markBusy(side.messages, place.messages);
  if (!moved && before) announceNew(side, place, before);
}

function beginning(place) {
  const text = place.kind === "personal" ? "Nothing here yet. Cards from SSO Usher arrive here; type sso help to see what it can do." : `Nobody has posted in ${place.name} yet.`;
  return { key: "beginning", signature: text, build: () => el("p", { class: "beginning" }, text) };
}

function announceNew(side, place, before) {
  const old = before.conversations.find((each) => each.id === place.id);
  const newest = place.messages.at(-1);
  if (!newest || !old || newest.id === old.messages.at(-1)?.id || newest.from.id === side.state.me.id) return;
  const words = side.messages.querySelector(`[data-key="${CSS.escape(newest.id)}"] .message-body`)?.innerText ?? newest.text;
  announce(`Teams, new message from ${newest.from.name}: ${words}`);
}

function replyTo(side, thread) {
  side.thread = thread;
  side.replying.hidden = thread === null;
  side.composer.node.querySelector("textarea").focus();
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
