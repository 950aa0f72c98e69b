// What the Teams side shows: who you are, the sidebar, and the chat or channel that is open.

import { announce, el, reconcile } from "../dom.js";
import { avatar } from "../people.js";
import { placeOf, timeOf } from "../moments.js";
import { placeItem, showMessageList } from "../window.js";
import { markBusy, messageItems } from "./messages.js";

export const isAdmin = (side, person) =>
  [person.email, person.key, person.id, person.aadObjectId].some((each) => side.admins.includes(each));

function roleOf(side, person) {
  if (person.disabled) return "Account disabled";
  if (person.guest) return "Guest";
  if (!person.installed) return "Has not added SSO Usher";
  if (person.blocked) return "Has blocked SSO Usher";
  return isAdmin(side, person) ? "Admin" : "Team member";
}

export function showMe(side) {
  const me = side.everybody.find((each) => each.key === side.me);
  side.identity.replaceChildren(
    el("strong", {}, me.name),
    el("span", {}, `${roleOf(side, me)} · ${timeOf(side.now(), me.timezone)} in ${placeOf(me.timezone)}`),
  );
  side.people.show(
    side.everybody.map((each) => ({
      id: each.key,
      handle: each.key,
      name: each.name,
      role: roleOf(side, each),
      unread: each.key !== side.me && Boolean(side.waiting[each.key]),
    })),
    side.me,
  );
}

export function unreadIn(side, person, place) {
  const seen = side.seen[`${person.key} ${place.id}`] ?? "";
  return place.messages.filter((each) => each.from.id !== person.id && each.id > seen).length;
}

/** The sidebar. What stands open counts as read. */
export function showPlaces(side, open) {
  const ids = open.messages.map((each) => each.id).sort();
  side.seen[`${side.me} ${open.id}`] = ids.at(-1) ?? "";
  const item = (place) =>
    placeItem({
      id: place.id,
      name: place.name,
      mark: place.kind === "personal" ? avatar(place.name, { bot: true }) : null,
      unread: unreadIn(side, side.state.me, place),
      current: place.id === open.id,
      testid: "teams-conversation",
      open: () => side.act.openConversation(place.id),
    });
  const items = (kind) => side.state.conversations.filter((each) => each.kind === kind).map(item);
  side.team.textContent = side.state.team?.name ?? "";
  reconcile(side.chats, items("personal"));
  reconcile(side.channels, items("channel"));
}

export function showHead(side, place) {
  const chat = place.kind === "personal";
  const build = () =>
    el(
      "h2",
      {},
      chat ? avatar(place.name, { bot: true }) : null,
      chat ? place.name : `${place.team} › ${place.name}`,
    );
  reconcile(side.heading, [{ key: place.id, signature: place.name, build }]);
  side.composer.describe(
    chat
      ? "Type a message, for example: sso help"
      : `Post in ${place.name}; mention @${side.state.bot.name} to be heard`,
  );
}

/** What keeps the bot from writing to this person, with a button that changes it. */
export function showBanner(side, place) {
  const trouble = place.kind === "personal" ? troubleOf(side.state.me) : null;
  side.banner.hidden = !trouble;
  if (!trouble) return;
  const { text, path, label } = trouble;
  const button = () =>
    el("button", { type: "button", class: "button", onclick: () => side.act.send(path, {}) }, label);
  reconcile(side.banner, [{ key: path, signature: text, build: () => el("div", {}, text, button()) }]);
}

function troubleOf({ installed, blocked }) {
  if (!installed) return { text: "SSO Usher is not added for you.", path: "/install", label: "Add it" };
  if (blocked) return { text: "You have blocked SSO Usher.", path: "/unblock", label: "Unblock" };
  return null;
}

/** The messages. `before` is the state before, for reading aloud what is new. */
export function showMessages(side, place, before) {
  const context = {
    state: side.state,
    zone: side.state.me.timezone,
    press: (message, action, inputs) => side.act.press(place, message, action, inputs),
    reply: side.act.replyTo,
  };
  const beginning =
    place.kind === "personal"
      ? "Nothing here yet. Cards from SSO Usher arrive here; type sso help to see what it can do."
      : `Nobody has posted in ${place.name} yet.`;
  const moved = showMessageList(side.messages, `${side.me} ${place.id}`, messageItems(place, context), beginning);
  markBusy(side.messages, place.messages);
  if (!moved && before) announceNew(side, place, before);
}

function announceNew(side, place, before) {
  const old = before.conversations.find((each) => each.id === place.id);
  const newest = place.messages.at(-1);
  if (!newest || !old || newest.id === old.messages.at(-1)?.id || newest.from.id === side.state.me.id) return;
  const words =
    side.messages.querySelector(`[data-key="${CSS.escape(newest.id)}"] .message-body`)?.innerText ?? newest.text;
  announce(`Teams, new message from ${newest.from.name}: ${words}`);
}
