// rich_text blocks as nodes (docs.slack.dev/reference/block-kit/blocks/rich-text-block).

import { el } from "../dom.js";
import { safeLink } from "../overlay.js";
import { emoji } from "./emoji.js";

export function richText(block, names) {
  return el(
    "div",
    { class: "block rich-text" },
    block.elements.map((each) => part(each, names)),
  );
}

function part(element, names) {
  const inner = () => element.elements.map((each) => leaf(each, names));
  switch (element.type) {
    case "rich_text_list":
      return el(
        element.style === "ordered" ? "ol" : "ul",
        { class: `indent-${element.indent ?? 0}` },
        element.elements.map((item) =>
          el(
            "li",
            {},
            item.elements.map((each) => leaf(each, names)),
          ),
        ),
      );
    case "rich_text_quote":
      return el("blockquote", {}, inner());
    case "rich_text_preformatted":
      return el("pre", {}, inner());
    default:
      return el("div", {}, inner());
  }
}

function leaf(element, names) {
  switch (element.type) {
    case "link":
      return safeLink(element.url, element.text ?? element.url);
    case "emoji":
      return emoji(element.name);
    case "user":
      return mention(`@${names.user(element.user_id)}`);
    case "usergroup":
      return mention(`@${names.group(element.usergroup_id)}`);
    case "channel":
      return mention(`#${names.channel(element.channel_id)}`);
    case "broadcast":
      return mention(`@${element.range}`);
    default:
      return styled(element.text ?? element.fallback ?? "", element.style ?? {});
  }
}

const mention = (text) => el("span", { class: "mention" }, text);

function styled(text, style) {
  const lines = text.split("\n").flatMap((line, number) => (number ? [el("br"), line] : [line]));
  return ["code", "strike", "italic", "bold"].reduce(
    (node, name) =>
      style[name] ? el({ code: "code", strike: "s", italic: "em", bold: "strong" }[name], {}, node) : node,
    el("span", {}, lines),
  );
}
