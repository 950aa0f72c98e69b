// What the Slack side shows: who you are, the sidebar, and the channel, direct message or Home tab that is open.

import { announce, el, reconcile } from "../dom.js";
import { avatar } from "../people.js";
import { placeOf, timeOf } from "../moments.js";
import { placeItem, showMessageList } from "../window.js";
import { blocks, plainValues } from "./blocks.js";
import { messageItems } from "./messages.js";
import { mrkdwn } from "./mrkdwn.js";

const KINDS = { owner: "Workspace owner", admin: "Workspace admin", guest: "Guest" };

export const isAdmin = (side, person) =>
  ["owner", "admin"].includes(person.kind) || side.admins.includes(person.email) || side.admins.includes(person.id);

export function showMe(side) {
  const { me } = side.state;
  const role = KINDS[me.kind] ?? (isAdmin(side, me) ? "Admin" : me.title);
  const words = [me.real_name, `${role} · ${timeOf(side.now(), me.tz)} in ${placeOf(me.tz)}`];
  side.identity.replaceChildren(el("strong", {}, words[0]), el("span", {}, words[1]));
  side.people.show(
    side.everybody.map((each) => face(side, each)),
    side.me,
  );
}

function face(side, person) {
  const role = [KINDS[person.kind] ?? (isAdmin(side, person) ? "Admin" : null), person.title]
    .filter(Boolean)
    .join(", ");
  return {
    id: person.id,
    handle: person.name,
    name: person.real_name,
    role,
    unread: person.id !== side.me && Boolean(side.waiting[person.id]),
  };
}

export function unreadIn(side, person, place) {
  const seen = side.seen[`${person} ${place.id}`] ?? "";
  return place.messages.filter((each) => each.user !== person && each.ts > seen).length;
}

/** The sidebar. What stands open counts as read. */
export function showPlaces(side, open) {
  if (side.tab === "messages") side.seen[`${side.me} ${open.id}`] = open.messages.at(-1)?.ts ?? "";
  const item = (place) => {
    const name = place.is_im ? side.state.bot.name : place.name;
    const sign = el("span", { class: "hash", "aria-hidden": "true" }, place.is_private ? "🔒" : "#");
    return placeItem({
      id: place.id,
      name,
      mark: place.is_im ? avatar(name, { bot: true }) : sign,
      unread: unreadIn(side, side.me, place),
      current: place.id === open.id,
      testid: "slack-channel",
      open: () => side.act.openChannel(place.id),
    });
  };
  reconcile(side.channels, side.state.channels.map(item));
  reconcile(side.apps, [item(side.state.direct_message)]);
}

/** The name of the place, and the app's tabs over its direct message. */
export function showHead(side, place) {
  const { name } = side.state.bot;
  side.heading.textContent = place.is_im ? name : `# ${place.name}`;
  side.composer.describe(`Message ${place.is_im ? name : `#${place.name}`}, or type /sso`);
  const tabs = place.is_im ? { home: "Home", messages: "Messages" } : {};
  reconcile(
    side.tabs,
    Object.entries(tabs).map(([key, label]) => ({ key, signature: side.tab, build: () => tab(side, key, label) })),
  );
}

function tab(side, name, label) {
  const attributes = {
    type: "button",
    role: "tab",
    "aria-selected": String(side.tab === name),
    "data-testid": `slack-tab-${name}`,
    "data-focus": name,
    onclick: () => side.act.openTab(name),
  };
  return el("button", attributes, label);
}

/** The messages, or the Home tab. `before` is the state before, for reading aloud what is new. */
export function showContent(side, place, before) {
  const home = side.tab === "home" && place.is_im;
  side.home.hidden = !home;
  side.messages.hidden = home;
  side.composer.node.hidden = home;
  if (home) showHome(side);
  else showMessages(side, place, before);
}

function showMessages(side, place, before) {
  const context = { state: side.state, names: side.names, press: side.act.press, ask: side.act.confirmFirst };
  const beginning = place.is_im
    ? "Nothing here yet. Messages from SSO Usher arrive here; type /sso help to see what it can do."
    : `This is the very beginning of #${place.name}.`;
  const moved = showMessageList(side.messages, `${side.me} ${place.id}`, messageItems(place, context), beginning);
  if (!moved && before) announceNew(side, place, before);
}

function announceNew(side, place, before) {
  const old = [...before.channels, before.direct_message].find((each) => each.id === place.id);
  const newest = place.messages.at(-1);
  if (!newest || !old || newest.ts === old.messages.at(-1)?.ts || newest.user === side.me) return;
  announce(
    `Slack, new message from ${side.names.user(newest.user)}: ${el("p", {}, mrkdwn(newest.text, side.names)).textContent}`,
  );
}

function showHome(side) {
  const { home } = side.state;
  const signature = home ? JSON.stringify([home.hash, home.blocks, side.me]) : `empty ${side.me}`;
  const surface = home && {
    state: side.state,
    names: side.names,
    values: plainValues(home.state?.values),
    ask: side.act.confirmFirst,
    send: (block, element, value) => side.act.press({ home: true }, block, element, value),
  };
  const build = () =>
    el(
      "div",
      { class: "blocks" },
      home
        ? blocks(home.blocks, surface).nodes
        : el("p", { class: "beginning" }, "SSO Usher has not published a Home tab for you yet."),
    );
  reconcile(side.home, [{ key: "home", signature, build }]);
}
