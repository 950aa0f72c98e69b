// The part of Markdown that Teams shows in messages and cards, as nodes. Nodes, not HTML: a text cannot become markup.
// Bold, italics, strike-through, code, links, lists, headings, line breaks, mentions, backslash escapes.

import { el } from "../dom.js";
import { safeLink } from "../overlay.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00a0" };
const unescape = (text) => text.replaceAll(/&(?:lt|gt|amp|quot|#39|nbsp);/g, (entity) => ENTITIES[entity]);

// Each form: what it looks like, and the node for it. The one that begins first wins.
const INLINE = [
  [/\\([\\`*_{}[\]()#+\-.!~<>|&:])/, ([, sign]) => sign],
  [/`([^`\n]+)`/, ([, code]) => el("code", {}, unescape(code))],
  [/<at[^>]*>(.*?)<\/at>/, ([, name]) => el("span", { class: "mention" }, unescape(name))],
  [/\[((?:\\.|[^\]\\])+)\]\(([^)\s]+)\)/, ([, label, url]) => safeLink(unescape(url), inline(label))],
  [/\*\*(?=\S)((?:\\.|[^\\])+?)\*\*/, ([, text]) => el("strong", {}, inline(text))],
  [/(?<![\p{L}\p{N}])__(?=\S)((?:\\.|[^\\])+?)__/u, ([, text]) => el("strong", {}, inline(text))],
  [/~~(?=\S)((?:\\.|[^\\])+?)~~/, ([, text]) => el("s", {}, inline(text))],
  [/\*(?=\S)((?:\\.|[^*\\\n])+?)\*/, ([, text]) => el("em", {}, inline(text))],
  [/(?<![\p{L}\p{N}])_(?=\S)((?:\\.|[^_\\\n])+?)_(?![\p{L}\p{N}])/u, ([, text]) => el("em", {}, inline(text))],
  [/https?:\/\/[^\s<>()*]+[^\s<>()*.,;:!?]/, ([url]) => safeLink(unescape(url))],
  [/<br ?\/?>|\n/, () => el("br")],
];

function inline(text) {
  const found = INLINE.map(([pattern, node]) => ({ match: pattern.exec(text), node })).filter(({ match }) => match);
  if (found.length === 0) return text ? [unescape(text)] : [];
  const first = found.reduce((best, each) => (each.match.index < best.match.index ? each : best));
  const before = text.slice(0, first.match.index);
  return [
    ...(before ? [unescape(before)] : []),
    first.node(first.match),
    ...inline(text.slice(first.match.index + first.match[0].length)),
  ];
}

const KINDS = [
  ["ul", /^\s*[-*+]\s+(.*)$/],
  ["ol", /^\s*\d+[.)]\s+(.*)$/],
  ["blockquote", /^>\s?(.*)$/],
  ["h4", /^#{1,6}\s+(.*)$/],
];

function kindOf(line) {
  for (const [kind, pattern] of KINDS) {
    const match = pattern.exec(line);
    if (match) return { kind, text: match[1] };
  }
  return { kind: line.trim() ? "p" : "gap", text: line };
}

/** A whole text as a list of nodes. */
export function markdown(text) {
  const runs = [];
  for (const line of text.replaceAll("\r", "\n").split("\n")) {
    const { kind, text: words } = kindOf(line);
    if (runs.at(-1)?.kind === kind && kind !== "h4") runs.at(-1).lines.push(words);
    else runs.push({ kind, lines: [words] });
  }
  return runs.filter(({ kind }) => kind !== "gap").map(block);
}

function block({ kind, lines }) {
  if (kind === "ul" || kind === "ol")
    return el(
      kind,
      {},
      lines.map((line) => el("li", {}, inline(line))),
    );
  return el(kind, {}, inline(lines.join("\n")));
}

/** The same as HTML, for Microsoft's renderer, which takes nothing else. Serialised from nodes, so it is escaped. */
export const markdownHtml = (text) => el("div", {}, markdown(text)).innerHTML;
