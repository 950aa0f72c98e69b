// The left side: the emulated Slack workspace as one person sees it.

import { announce, el, reconcile, stayAtEnd } from "../dom.js";
import { api, follow, oneAtATime, whenQuiet } from "../live.js";
import { avatar, peopleRow } from "../people.js";
import { composer, suggestCommands, suggestNames } from "../composer.js";
import { placeOf, timeOf } from "../moments.js";
import { ask, toast } from "../overlay.js";
import { blocks, plainValues } from "./blocks.js";
import { messageItems } from "./messages.js";
import { modalHost } from "./modal.js";
import { mrkdwn } from "./mrkdwn.js";
import { withEmoji } from "./emoji.js";

const KINDS = { owner: "Workspace owner", admin: "Workspace admin", guest: "Guest" };
const TROUBLES = { operation_timeout: "SSO Usher did not answer in time. Try again?", dispatch_failed: "SSO Usher could not be reached. Try again?" };
const MOST_LOOKED_AFTER = 12;

/**
 * Draws the side into `root`. `happened(kind, detail)` hears what the person does: "person", "command", "submit", "press".
 * `now()` is the bot's time. Returns {become(test), fill(text), openBot(), me()}.
 */
export async function slackSide(root, { base, admins, happened, now }) {
  const side = { root, admins, happened, now, server: api(base), state: null, me: null, open: {}, tab: "messages", seen: {}, waiting: {}, warned: {} };
  draw(side);
  side.refresh = oneAtATime(() => refresh(side));
  side.lookAfterOthers = whenQuiet(() => lookAfterOthers(side), 600);
  const { people } = await side.server.get("/people");
  side.everybody = people.filter((each) => each.can_act);
  side.me = (side.everybody.find((each) => isAdmin(side, each)) ?? side.everybody[0]).id;
  follow(side.server.eventsUrl(), side.refresh, (up) => root.classList.toggle("offline", !up));
  await side.refresh();
  return {
    become: (test) => choose(side, side.everybody.find((each) => test({ ...each, admin: isAdmin(side, each) }))?.id ?? side.me),
    fill: (text) => side.composer.fill(text),
    openBot: () => openChannel(side, side.state.direct_message.id),
    me: () => ({ ...side.state.me, admin: isAdmin(side, side.state.me) }),
    redraw: () => side.state && showMe(side),
  };
}

const isAdmin = (side, person) => ["owner", "admin"].includes(person.kind) || side.admins.includes(person.email) || side.admins.includes(person.id);

function draw(side) {
  side.people = peopleRow("slack", (id) => choose(side, id));
  side.team = el("strong", { class: "team-name" });
  side.identity = el("div", { class: "me", "data-testid": "slack-me" });
  side.channels = el("ul", {});
  side.apps = el("ul", {});
  side.heading = el("h2", {});
  side.tabs = el("div", { class: "tabs", role: "tablist" });
  side.messages = el("div", { class: "messages", role: "log", "aria-live": "off", "aria-label": "Messages", tabindex: "0", "data-testid": "slack-messages" });
  side.home = el("div", { class: "messages home", "aria-label": "Home", tabindex: "0", "data-testid": "slack-home", hidden: true });
  side.toasts = el("div", { class: "toasts" });
  side.history = [];
  side.composer = composer({ side: "slack", history: side.history, send: (text) => type(side, text), suggest: (text) => suggest(side, text) });
  const front = el("div", { class: "front" });
  side.front = front;
  side.modal = modalHost(front, modalActions(side), () => side.composer.node.querySelector("textarea").focus());
  side.root.append(
    el("header", { class: "titlebar" }, el("span", { class: "product" }, el("span", { class: "product-mark", "aria-hidden": "true" }, "#"), "Slack"), side.identity, side.people.row),
    el(
      "div", { class: "columns" },
      el("nav", { class: "sidebar", "aria-label": "Channels and apps" }, side.team, el("h3", {}, "Channels"), side.channels, el("h3", {}, "Apps"), side.apps),
      el("div", { class: "main" }, el("div", { class: "channel-head" }, side.heading, side.tabs), side.messages, side.home, side.composer.node, side.toasts),
      front,
    ),
  );
}

async function choose(side, id) {
  if (!id) return;
  if (id !== side.me) {
    side.me = id;
    side.tab = "messages";
    await side.refresh();
  }
  const me = side.state.me;
  side.happened("person", { ...me, admin: isAdmin(side, me) });
}

async function refresh(side) {
  const asked = side.me;
  const state = await side.server.get("/state", { as: asked }).catch(() => null);
  if (!state || asked !== side.me) return;
  const before = side.state;
  side.state = state;
  side.names = namesIn(state);
  show(side, before);
  side.lookAfterOthers();
}

function namesIn(state) {
  const all = new Map(state.people.map((each) => [each.id, each.real_name]));
  const groups = new Map(state.groups.map((each) => [each.id, each.handle]));
  const channels = new Map(state.channels.map((each) => [each.id, each.name]));
  return { user: (id) => all.get(id) ?? id, group: (id) => groups.get(id) ?? id, channel: (id) => channels.get(id), zone: state.me.tz };
}

const places = (side) => [...side.state.channels, side.state.direct_message];

function openPlace(side) {
  return places(side).find((each) => each.id === side.open[side.me]) ?? side.state.direct_message;
}

function show(side, before) {
  const place = openPlace(side);
  side.team.textContent = side.state.team.name;
  showMe(side);
  showPlaces(side, place);
  showHead(side, place);
  showContent(side, place, before);
  side.modal(side.state, side.names);
  showTroubles(side);
}

function showMe(side) {
  const { me } = side.state;
  const role = KINDS[me.kind] ?? (isAdmin(side, me) ? "Admin" : me.title);
  const words = [me.real_name, `${role} · ${timeOf(side.now(), me.tz)} in ${placeOf(me.tz)}`];
  side.identity.replaceChildren(el("strong", {}, words[0]), el("span", {}, words[1]));
  side.people.show(side.everybody.map((each) => face(side, each)), side.me);
}

function face(side, person) {
  const role = [KINDS[person.kind] ?? (isAdmin(side, person) ? "Admin" : null), person.title].filter(Boolean).join(", ");
  return { id: person.id, handle: person.name, name: person.real_name, role, unread: person.id !== side.me && Boolean(side.waiting[person.id]) };
}

function unreadIn(side, person, place) {
  const seen = side.seen[`${person} ${place.id}`] ?? "";
  return place.messages.filter((each) => each.user !== person && each.ts > seen).length;
}

function showPlaces(side, open) {
  if (side.tab === "messages") side.seen[`${side.me} ${open.id}`] = open.messages.at(-1)?.ts ?? "";
  const item = (place) => {
    const [name, unread] = [place.is_im ? side.state.bot.name : place.name, unreadIn(side, side.me, place)];
    const mark = place.is_im ? avatar(name, { bot: true }) : el("span", { class: "hash", "aria-hidden": "true" }, place.is_private ? "🔒" : "#");
    return {
      key: place.id,
      signature: JSON.stringify([name, unread, place.id === open.id]),
      build: () => el("li", {}, el("button", {
        type: "button", class: unread ? "unread" : "", "aria-current": place.id === open.id ? "true" : null, "data-testid": "slack-channel", "data-name": name, "data-focus": "place",
        onclick: () => openChannel(side, place.id),
      }, mark, el("span", { class: "place-name" }, name), unread ? el("span", { class: "count", "aria-label": `${unread} unread` }, String(unread)) : null)),
    };
  };
  reconcile(side.channels, side.state.channels.map(item));
  reconcile(side.apps, [item(side.state.direct_message)]);
}

function openChannel(side, id) {
  side.open[side.me] = id;
  side.tab = "messages";
  show(side, null);
  if (id === side.state.direct_message.id) side.server.post("/home", { as: side.me, tab: "messages" }).catch(() => {});
}

function showHead(side, place) {
  side.heading.textContent = place.is_im ? side.state.bot.name : `# ${place.name}`;
  side.composer.describe(place.is_im ? `Message ${side.state.bot.name}, or type /sso` : `Message #${place.name}, or type /sso`);
  const tab = (name, label) => el("button", {
    type: "button", role: "tab", "aria-selected": String(side.tab === name), "data-testid": `slack-tab-${name}`, "data-focus": name,
    onclick: () => openTab(side, name),
  }, label);
  const signature = JSON.stringify([place.is_im, side.tab]);
  reconcile(side.tabs, place.is_im ? [["home", "Home"], ["messages", "Messages"]].map(([name, label]) => ({ key: name, signature, build: () => tab(name, label) })) : []);
}

function openTab(side, name) {
  side.tab = name;
  side.server.post("/home", { as: side.me, tab: name }).catch((problem) => warn(side, problem.message));
  show(side, null);
}

function showContent(side, place, before) {
  const home = side.tab === "home" && place.is_im;
  side.home.hidden = !home;
  side.messages.hidden = home;
  side.composer.node.hidden = home;
  if (home) return showHome(side);
  const context = { state: side.state, names: side.names, press: (where, block, element, value) => press(side, where, block, element, value), ask: (confirm) => confirmFirst(side, confirm) };
  const items = messageItems(place, context);
  const moved = side.messages.dataset.place !== `${side.me} ${place.id}`;
  side.messages.dataset.place = `${side.me} ${place.id}`;
  stayAtEnd(side.messages, () => reconcile(side.messages, items.length ? items : [beginning(place, side)]), moved);
  if (!moved && before) announceNew(side, place, before);
}

function beginning(place, side) {
  const text = place.is_im ? "Nothing here yet. Messages from SSO Usher arrive here; type /sso help to see what it can do." : `This is the very beginning of #${place.name}.`;
  return { key: "beginning", signature: text + side.me, build: () => el("p", { class: "beginning" }, text) };
}

function announceNew(side, place, before) {
  const old = [...before.channels, before.direct_message].find((each) => each.id === place.id);
  const newest = place.messages.at(-1);
  if (!newest || !old || newest.ts === old.messages.at(-1)?.ts || newest.user === side.me) return;
  announce(`Slack, new message from ${side.names.user(newest.user)}: ${el("p", {}, mrkdwn(newest.text, side.names)).textContent}`);
}

function showHome(side) {
  const { home } = side.state;
  const signature = home ? JSON.stringify([home.hash, home.blocks, side.me]) : `empty ${side.me}`;
  const surface = home && {
    state: side.state, names: side.names, values: plainValues(home.state?.values), ask: (confirm) => confirmFirst(side, confirm),
    send: (block, element, value) => press(side, { home: true }, block, element, value),
  };
  const build = () => el("div", { class: "blocks" }, home ? blocks(home.blocks, surface).nodes : el("p", { class: "beginning" }, "SSO Usher has not published a Home tab for you yet."));
  reconcile(side.home, [{ key: "home", signature, build }]);
}

async function type(side, text) {
  const command = text.startsWith("/");
  await trying(side, () => side.server.post("/type", { as: side.me, in: openPlace(side).id, text }));
  side.happened(command ? "command" : "message", text);
}

async function press(side, where, block, element, value, values) {
  const body = { as: side.me, where, action_id: element.action_id, block_id: block.block_id, value, values };
  const answer = await trying(side, () => side.server.post("/press", body));
  if (answer?.ok === false) warn(side, TROUBLES[answer.error] ?? answer.error);
  side.happened("press", element.text?.text ?? "");
}

function modalActions(side) {
  const send = (path, body) => trying(side, () => side.server.post(path, { as: side.me, ...body }));
  return {
    fill: (view, values) => side.state.modal?.id === view.id && side.server.post("/fill", { as: side.me, view: view.id, values }).catch(() => {}),
    submit: async (view, values) => {
      const answer = await send("/submit", { view: view.id, values });
      await side.refresh();
      if (answer?.ok) side.happened("submit", answer.outcome);
    },
    close: (view, clear) => send("/close", { view: view.id, clear }),
    press: (where, block, element, value, values) => press(side, where, block, element, value, values),
    ask: (confirm) => confirmFirst(side, confirm),
  };
}

const confirmFirst = (side, confirm) =>
  ask(side.front, "slack", {
    title: withEmoji(confirm.title.text), text: mrkdwn(confirm.text.text, side.names), yes: confirm.confirm?.text ?? "Yes", no: confirm.deny?.text ?? "No", danger: confirm.style === "danger",
  });

async function trying(side, work) {
  try {
    return await work();
  } catch (problem) {
    warn(side, problem.message);
    return null;
  }
}

const warn = (side, text) => toast(side.toasts, "slack", text, { kind: "error" });

function showTroubles(side) {
  const { troubles } = side.state;
  const known = side.warned[side.me] ?? 0;
  side.warned[side.me] = troubles.length;
  troubles.slice(known).forEach((text) => warn(side, text));
}

/** A dot on the faces of those who have something new from the bot: a newcomer sees whom the bot wrote to. */
async function lookAfterOthers(side) {
  for (const person of side.everybody.slice(0, MOST_LOOKED_AFTER)) {
    if (person.id === side.me) continue;
    const state = await side.server.get("/state", { as: person.id }).catch(() => null);
    side.waiting[person.id] = state ? unreadIn(side, person.id, state.direct_message) > 0 : false;
  }
  side.waiting[side.me] = false;
  showMe(side);
}

function suggest(side, text) {
  if (/^\/\S*$|^\/sso\s+\S*$/.test(text)) return suggestCommands(text, "/sso ");
  return suggestNames(text, [
    ...side.state.groups.map((each) => ({ mark: "@", name: each.handle, hint: `User group, ${each.members.length} people` })),
    ...side.everybody.map((each) => ({ mark: "@", name: each.name, hint: each.real_name })),
    ...side.state.channels.map((each) => ({ mark: "#", name: each.name, hint: "Channel" })),
  ]);
}
