// Block Kit's blocks (docs.slack.dev/reference/block-kit/blocks) as nodes.
//
// `surface` is where they stand: {state, names, values ({block: {action: value}}), form (waits for a submit button),
// changed(), send(block, element, value), ask(confirm)}. Returns {nodes, fields}; `fields` lists {block, action, read}.

import { el } from "../dom.js";
import { interactive, words } from "./elements.js";
import { richText } from "./rich_text.js";
import { withEmoji } from "./emoji.js";

let count = 0;

export function blocks(list, surface) {
  const fields = [];
  const nodes = list.map((block) => (BLOCKS[block.type] ?? unknown)(block, surface, fields));
  return { nodes, fields };
}

const BLOCKS = {
  header: (block) =>
    el("div", { class: "block header", role: "heading", "aria-level": "3" }, withEmoji(block.text.text)),
  divider: () => el("hr", { class: "block" }),
  section,
  context: (block, surface) =>
    el(
      "div",
      { class: "block context" },
      block.elements.map((each) =>
        each.type === "image" ? picture(each) : el("span", {}, words(each, surface.names)),
      ),
    ),
  actions: (block, surface, fields) =>
    el(
      "div",
      { class: "block actions" },
      block.elements.map((each) => place(block, each, surface, fields)),
    ),
  image: (block) =>
    el(
      "figure",
      { class: "block image" },
      block.title ? el("figcaption", {}, block.title.text) : null,
      picture(block),
    ),
  input,
  rich_text: (block, surface) => richText(block, surface.names),
};

const unknown = (block) =>
  el("div", { class: "block unsupported" }, `This page does not draw “${block.type}” blocks.`);

function section(block, surface, fields) {
  const side =
    block.accessory?.type === "image"
      ? picture(block.accessory)
      : block.accessory && place(block, block.accessory, surface, fields);
  return el(
    "div",
    { class: "block section" },
    el(
      "div",
      { class: "section-text" },
      block.text ? el("div", {}, words(block.text, surface.names)) : null,
      block.fields
        ? el(
            "div",
            { class: "fields" },
            block.fields.map((each) => el("div", {}, words(each, surface.names))),
          )
        : null,
    ),
    side ? el("div", { class: "accessory" }, side) : null,
  );
}

/** Nothing is loaded from outside: a picture that is not part of the page is shown by its description. */
function picture(image) {
  const url = image.image_url ?? "";
  const own = url.startsWith("data:image/") || url.startsWith(location.origin);
  return own
    ? el("img", { src: url, alt: image.alt_text })
    : el("span", { class: "no-picture", title: url }, image.alt_text);
}

function place(block, element, surface, fields, { labelled = false, waits = false } = {}) {
  const id = `slack-field-${++count}`;
  const send = (value) => surface.send(block, element, value);
  const at = {
    id,
    labelled,
    name: `${block.block_id}/${element.action_id}`,
    value: surface.values[block.block_id]?.[element.action_id],
    names: surface.names,
    people: surface.state.people.filter((each) => each.can_act),
    channels: surface.state.channels,
    changed: () => surface.changed?.(block.block_id, element.action_id),
    dispatches: !waits,
    send: waits ? () => {} : send,
    press: (node) => press(node, element, surface, send),
  };
  const { node, read } = interactive(element, at);
  if (read) fields.push({ block: block.block_id, action: element.action_id, read, node });
  return labelled ? { node, id } : node;
}

async function press(node, element, surface, send) {
  if (node.getAttribute("aria-busy") === "true") return false;
  if (element.confirm && !(await surface.ask(element.confirm))) return false;
  node.setAttribute("aria-busy", "true");
  try {
    await send(undefined);
  } finally {
    node.removeAttribute("aria-busy");
  }
  return true;
}

function input(block, surface, fields) {
  const grouped = block.element.type === "radio_buttons" || block.element.type === "checkboxes";
  const { node, id } = place(block, block.element, surface, fields, {
    labelled: true,
    waits: !block.dispatch_action,
  });
  const label = [
    withEmoji(block.label.text),
    block.optional ? el("span", { class: "optional" }, " (optional)") : null,
  ];
  node.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  return el(
    "div",
    { class: "block input", "data-testid": "slack-field", "data-block": block.block_id },
    grouped
      ? el("div", { class: "label", id: `${id}-label` }, label)
      : el("label", { class: "label", for: id }, label),
    node,
    el("div", { class: "field-error", id: `${id}-error`, "data-testid": "slack-field-error", hidden: true }),
    block.hint ? el("div", { class: "hint", id: `${id}-hint` }, withEmoji(block.hint.text)) : null,
  );
}

/** {block: {action: value}} as the page API wants it, from a view's `state.values` in Slack's shape. */
export function plainValues(values) {
  const each = (fields) =>
    Object.fromEntries(Object.entries(fields).map(([action, field]) => [action, plainValue(field)]));
  return Object.fromEntries(Object.entries(values ?? {}).map(([block, fields]) => [block, each(fields)]));
}

function plainValue(field) {
  const [, value] = Object.entries(field).find(([name]) => name === "value" || name.startsWith("selected_")) ?? [];
  if (Array.isArray(value)) return value.map((option) => option.value ?? option);
  return value?.value ?? value ?? null;
}

/** What a message's elements start with, where nobody has picked anything yet. */
export function initialValues(list) {
  const values = {};
  for (const block of list) {
    for (const element of [...(block.elements ?? []), block.accessory, block.element].filter(Boolean)) {
      const [name, value] = Object.entries(element).find(([key]) => key.startsWith("initial_")) ?? [];
      if (name)
        (values[block.block_id] ??= {})[element.action_id] = Array.isArray(value)
          ? value.map((each) => each.value ?? each)
          : (value?.value ?? value);
    }
  }
  return values;
}
