// Slack's mrkdwn as nodes (docs.slack.dev/messaging/formatting-message-text). Nodes, not HTML: nothing in a text can become markup.
// `names` turns ids into names: {user(id), group(id), channel(id), zone}.

import { el } from "../dom.js";
import { safeLink } from "../overlay.js";
import { dateOf, longDateOf, numericDateOf, timeOf } from "../moments.js";
import { emoji } from "./emoji.js";

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

// Each form: what it looks like, and the node for it. The one that begins first wins.
const INLINE = [
  [/`([^`\n]+)`/, ([, code]) => el("code", {}, unescape(code))],
  [/<([^<>\n]+)>/, ([, inside], names) => reference(inside, names)],
  [
    /(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\p{L}\p{N}*])/u,
    ([, text], names) => el("strong", {}, inline(text, names)),
  ],
  [
    /(?<![\p{L}\p{N}_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\p{L}\p{N}_])/u,
    ([, text], names) => el("em", {}, inline(text, names)),
  ],
  [
    /(?<![\p{L}\p{N}~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\p{L}\p{N}~])/u,
    ([, text], names) => el("s", {}, inline(text, names)),
  ],
  [/:([a-z0-9_+-]+):/, ([, name]) => emoji(name)],
  [/\n/, () => el("br")],
];

/** A whole text: code blocks, quotes and what is inside lines. */
export function mrkdwn(text, names) {
  return text
    .split(/```/)
    .flatMap((part, number) => (number % 2 ? el("pre", {}, unescape(part.replace(/^\n/, ""))) : quoted(part, names)));
}

function quoted(text, names) {
  const nodes = [];
  for (const run of text.split(/((?:^(?:>|&gt;).*(?:\n|$))+)/m)) {
    if (/^(>|&gt;)/.test(run))
      nodes.push(el("blockquote", {}, inline(run.replaceAll(/^(>|&gt;) ?/gm, "").replace(/\n$/, ""), names)));
    else if (run) nodes.push(...inline(run, names));
  }
  return nodes;
}

function inline(text, names) {
  const found = INLINE.map(([pattern, node]) => ({ match: pattern.exec(text), node })).filter(({ match }) => match);
  if (found.length === 0) return text ? [unescape(text)] : [];
  const first = found.reduce((best, each) => (each.match.index < best.match.index ? each : best));
  const end = first.match.index + first.match[0].length;
  const before = text.slice(0, first.match.index);
  return [...(before ? [unescape(before)] : []), first.node(first.match, names), ...inline(text.slice(end), names)];
}

/** What stands in angle brackets: a mention, a date or a link. */
function reference(inside, names) {
  const [target, label] = inside.split(/\|(.*)/s);
  if (target.startsWith("@")) return mention(`@${names.user(target.slice(1))}`);
  if (target.startsWith("#")) return mention(`#${names.channel(target.slice(1)) ?? label}`);
  if (target.startsWith("!subteam^")) return mention(`@${names.group(target.slice(9))}`);
  if (target.startsWith("!date^")) return moment(target.slice(6), label ?? "", names.zone);
  if (target.startsWith("!")) return mention(`@${label ?? target.slice(1)}`);
  const url = unescape(target);
  return safeLink(url, label ? unescape(label) : url.replace(/^mailto:/, ""));
}

const mention = (text) => el("span", { class: "mention" }, text);

function moment(specification, fallback, zone) {
  const [seconds, pattern = "", link] = specification.split("^");
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  const text = pattern.replaceAll(/\{(\w+)\}/g, (whole, token) => dateToken(token, date, zone) ?? whole);
  return link
    ? safeLink(link, text)
    : el("time", { datetime: date.toISOString(), title: longDateOf(date, zone) }, text);
}

function dateToken(token, date, zone) {
  const kind = token.replace("_pretty", "");
  if (kind === "date_num") return numericDateOf(date, zone);
  if (kind === "date" || kind === "day_divider") return dateOf(date, zone);
  if (kind === "date_short") return dateOf(date, zone, "short");
  if (kind === "date_long") return longDateOf(date, zone);
  if (kind === "time" || kind === "time_secs") return timeOf(date, zone);
  return null;
}
