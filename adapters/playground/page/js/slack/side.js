// The left side: the emulated Slack workspace as one person sees it.

import { el } from "../dom.js";
import { api, follow, oneAtATime, whenQuiet } from "../live.js";
import { peopleRow } from "../people.js";
import { composer, suggestCommands, suggestNames } from "../composer.js";
import { ask, toast } from "../overlay.js";
import { frame, parts } from "../window.js";
import { isAdmin, showContent, showHead, showMe, showPlaces, unreadIn } from "./content.js";
import { modalHost } from "./modal.js";
import { mrkdwn } from "./mrkdwn.js";
import { withEmoji } from "./emoji.js";

const TROUBLES = {
  operation_timeout: "SSO Usher did not answer in time. Try again?",
  dispatch_failed: "SSO Usher could not be reached. Try again?",
};
const MOST_LOOKED_AFTER = 12;

/**
 * Draws the side into `root`. `happened(kind, detail)` hears what the person does: "person", "command", "submit", "press".
 * `now()` is the bot's time. Returns {become(test), fill(text), openBot(), me(), redraw()}.
 */
export async function slackSide(root, { base, admins, happened, now }) {
  const side = {
    root,
    admins,
    happened,
    now,
    server: api(base),
    state: null,
    me: null,
    open: {},
    tab: "messages",
    seen: {},
    waiting: {},
    warned: {},
  };
  side.act = actions(side);
  draw(side);
  side.refresh = oneAtATime(() => refresh(side));
  side.lookAfterOthers = whenQuiet(() => lookAfterOthers(side), 600);
  const { people } = await side.server.get("/people");
  side.everybody = people.filter((each) => each.can_act);
  side.me = (side.everybody.find((each) => isAdmin(side, each)) ?? side.everybody[0]).id;
  follow(side.server.eventsUrl(), side.refresh, (up) => root.classList.toggle("offline", !up));
  await side.refresh();
  return {
    become: (test) =>
      choose(side, side.everybody.find((each) => test({ ...each, admin: isAdmin(side, each) }))?.id ?? side.me),
    fill: (text) => side.composer.fill(text),
    openBot: () => openChannel(side, side.state.direct_message.id),
    me: () => ({ ...side.state.me, admin: isAdmin(side, side.state.me) }),
    redraw: () => side.state && showMe(side),
  };
}

function draw(side) {
  Object.assign(side, parts("slack"));
  side.people = peopleRow("slack", (id) => choose(side, id));
  side.team = el("strong", { class: "team-name" });
  side.channels = el("ul", {});
  side.apps = el("ul", {});
  side.heading = el("h2", {});
  side.tabs = el("div", { class: "tabs", role: "tablist" });
  const home = { class: "messages home", "aria-label": "Home", tabindex: "0", "data-testid": "slack-home" };
  side.home = el("div", { ...home, hidden: true });
  side.composer = composer({
    side: "slack",
    history: [],
    send: (text) => type(side, text),
    suggest: (text) => suggest(side, text),
  });
  side.modal = modalHost(side.front, modalActions(side), side.composer.focus);
  const head = el("div", { class: "channel-head" }, side.heading, side.tabs);
  frame(side.root, {
    product: "Slack",
    mark: "#",
    sidebarLabel: "Channels and apps",
    identity: side.identity,
    faces: side.people.row,
    nav: [side.team, el("h3", {}, "Channels"), side.channels, el("h3", {}, "Apps"), side.apps],
    main: [head, side.messages, side.home, side.composer.node, side.toasts],
    front: side.front,
  });
}

/** What pressing something on this side does. */
function actions(side) {
  return {
    openChannel: (id) => openChannel(side, id),
    openTab: (name) => openTab(side, name),
    press: (where, block, element, value) => press(side, where, block, element, value),
    confirmFirst: (confirm) => confirmFirst(side, confirm),
  };
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
  return {
    user: (id) => all.get(id) ?? id,
    group: (id) => groups.get(id) ?? id,
    channel: (id) => channels.get(id),
    zone: state.me.tz,
  };
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

function openChannel(side, id) {
  side.open[side.me] = id;
  side.tab = "messages";
  show(side, null);
  if (id === side.state.direct_message.id)
    side.server.post("/home", { as: side.me, tab: "messages" }).catch(() => {});
}

function openTab(side, name) {
  side.tab = name;
  side.server.post("/home", { as: side.me, tab: name }).catch((problem) => warn(side, problem.message));
  show(side, null);
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
  if (!element.url) side.happened("press", element.text?.text ?? "");
}

function modalActions(side) {
  const send = (path, body) => trying(side, () => side.server.post(path, { as: side.me, ...body }));
  return {
    fill: (view, values) =>
      side.state.modal?.id === view.id &&
      side.server.post("/fill", { as: side.me, view: view.id, values }).catch(() => {}),
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
    title: withEmoji(confirm.title.text),
    text: mrkdwn(confirm.text.text, side.names),
    yes: confirm.confirm?.text ?? "Yes",
    no: confirm.deny?.text ?? "No",
    danger: confirm.style === "danger",
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
    ...side.state.groups.map((each) => ({
      mark: "@",
      name: each.handle,
      hint: `User group, ${each.members.length} people`,
    })),
    ...side.everybody.map((each) => ({ mark: "@", name: each.name, hint: each.real_name })),
    ...side.state.channels.map((each) => ({ mark: "#", name: each.name, hint: "Channel" })),
  ]);
}
