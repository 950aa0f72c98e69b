// Block Kit's interactive elements (docs.slack.dev/reference/block-kit/block-elements).
//
// Each builder takes (element, at) and returns {node, read}: `read()` gives the value as the emulator's page API wants it,
// null for an empty field. `at` is {id, name, value (now), names, people, groups, channels, changed(), send(value), press(node)}:
// `changed` is for a field that waits for its form, `send` tells the bot at once.

import { el } from "../dom.js";
import { linkNotice } from "../overlay.js";
import { withEmoji } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";

const TEXT_TYPES = { email_text_input: "email", url_text_input: "url" };

export function interactive(element, at) {
  const build = BUILDERS[element.type];
  if (!build) return { node: el("span", { class: "unsupported" }, `(${element.type})`), read: null };
  return build(element, at);
}

export const words = (text, names) => (text.type === "mrkdwn" ? mrkdwn(text.text, names) : [withEmoji(text.text)]);

function button(element, at) {
  const node = el(
    "button",
    {
      type: "button",
      class: `button ${element.style ?? ""}`,
      "data-testid": "slack-button",
      "data-action": element.action_id,
      "data-focus": `${at.name}`,
      "aria-label": element.accessibility_label,
      onclick: async () => (await at.press(node)) && element.url && linkNotice(element.url, element.text.text),
    },
    withEmoji(element.text.text),
  );
  return { node, read: null };
}

function textInput(element, at) {
  const shared = {
    id: at.id,
    name: element.action_id,
    class: "field-text",
    "data-testid": "slack-input",
    "data-focus": at.name,
    maxlength: element.max_length,
    placeholder: element.placeholder && withEmoji(element.placeholder.text),
    autocomplete: "off",
  };
  const type = TEXT_TYPES[element.type] ?? "text";
  const node = element.multiline
    ? el("textarea", { ...shared, rows: "4" })
    : el("input", { ...shared, type, inputmode: element.type === "number_input" ? "decimal" : null });
  node.value = at.value ?? "";
  const read = () => node.value || null;
  node.addEventListener("input", at.changed);
  if (!element.multiline)
    node.addEventListener("keydown", (event) => event.key === "Enter" && at.dispatches && at.send(read()));
  return { node, read };
}

function optionsOf(element) {
  if (element.option_groups)
    return element.option_groups.map((group) => ({ label: group.label.text, options: group.options.map(plain) }));
  return [{ options: (element.options ?? []).map(plain) }];
}

const plain = (option) => ({ value: option.value, label: withEmoji(option.text.text) });

function choicesFor(element, at) {
  const kind = element.type.replace("multi_", "");
  if (kind === "users_select")
    return [{ options: at.people.map((each) => ({ value: each.id, label: each.real_name })) }];
  if (kind === "channels_select" || kind === "conversations_select")
    return [
      { options: at.channels.map((each) => ({ value: each.id, label: each.name ? `# ${each.name}` : "SSO Usher" })) },
    ];
  return optionsOf(element);
}

function options(groups) {
  const nodes = (each) => each.map(({ value, label }) => el("option", { value }, label));
  return groups.map((group) =>
    group.label ? el("optgroup", { label: group.label }, nodes(group.options)) : nodes(group.options),
  );
}

function select(element, at) {
  const placeholder = element.placeholder?.text ?? "Select an option";
  const node = el(
    "select",
    {
      id: at.id,
      name: element.action_id,
      class: "field-select",
      "data-testid": "slack-input",
      "data-focus": at.name,
      onchange: () => (at.changed(), at.send(node.value || null)),
    },
    el("option", { value: "" }, withEmoji(placeholder)),
    options(choicesFor(element, at)),
  );
  node.value = at.value ?? "";
  if (!at.labelled) node.setAttribute("aria-label", placeholder);
  return { node, read: () => node.value || null };
}

function multiSelect(element, at) {
  const groups = choicesFor(element, at);
  const labels = new Map(groups.flatMap((group) => group.options).map(({ value, label }) => [value, label]));
  let chosen = [...(at.value ?? [])];
  const change = (next) => {
    chosen = next;
    show();
    at.changed();
    at.send(chosen);
  };
  const chips = el("div", { class: "chips" });
  const add = el("select", {
    id: at.id,
    name: element.action_id,
    class: "field-select",
    "data-testid": "slack-input",
    "data-focus": at.name,
    "aria-label": at.labelled ? null : "Add",
    onchange: () => add.value && change([...chosen, add.value]),
  });
  const chip = (value) =>
    el(
      "span",
      { class: "chip" },
      labels.get(value) ?? value,
      el(
        "button",
        {
          type: "button",
          "aria-label": `Remove ${labels.get(value) ?? value}`,
          onclick: () => change(chosen.filter((each) => each !== value)),
        },
        "×",
      ),
    );
  const show = () => {
    chips.replaceChildren(...chosen.map(chip));
    const left = groups.map((group) => ({
      ...group,
      options: group.options.filter(({ value }) => !chosen.includes(value)),
    }));
    add.replaceChildren(el("option", { value: "" }, element.placeholder?.text ?? "Add…"), ...options(left).flat());
  };
  show();
  return { node: el("div", { class: "multi" }, chips, add), read: () => chosen };
}

function choiceList(element, at, type) {
  const group = el("div", {
    class: "choices",
    role: type === "radio" ? "radiogroup" : "group",
    "aria-labelledby": at.labelled ? `${at.id}-label` : null,
  });
  const current = () => [...group.querySelectorAll("input:checked")].map((each) => each.value);
  const read = () => (type === "radio" ? (current()[0] ?? null) : current());
  const change = () => (at.changed(), at.send(read()));
  const now = type === "radio" ? [at.value] : (at.value ?? []);
  element.options.forEach((option, number) => {
    const input = el("input", {
      type,
      name: at.id,
      value: option.value,
      checked: now.includes(option.value),
      "data-testid": "slack-input",
      "data-focus": `${at.name}-${number}`,
      onchange: change,
    });
    const description = option.description
      ? el("span", { class: "choice-description" }, words(option.description, at.names))
      : null;
    group.append(el("label", { class: "choice" }, input, el("span", {}, words(option.text, at.names), description)));
  });
  return { node: group, read };
}

function picker(element, at) {
  const type = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" }[element.type];
  const seconds = element.type === "datetimepicker";
  const read = () => (node.value ? (seconds ? Math.floor(new Date(node.value).getTime() / 1000) : node.value) : null);
  const node = el("input", {
    id: at.id,
    type,
    name: element.action_id,
    class: "field-text short",
    "data-testid": "slack-input",
    "data-focus": at.name,
    "aria-label": at.labelled ? null : (element.placeholder?.text ?? "Pick"),
    onchange: () => (at.changed(), at.send(read())),
  });
  node.value = at.value ? (seconds ? localInput(at.value) : at.value) : "";
  return { node, read };
}

function localInput(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function overflow(element, at) {
  const item = (option) =>
    el(
      "button",
      {
        type: "button",
        role: "menuitem",
        onclick: () => (
          menu.removeAttribute("open"),
          option.url ? linkNotice(option.url) : null,
          at.send(option.value)
        ),
      },
      withEmoji(option.text.text),
    );
  const menu = el(
    "details",
    { class: "overflow" },
    el("summary", { class: "button", "aria-label": "More actions", "data-focus": at.name }, "⋯"),
    el("div", { class: "menu", role: "menu" }, element.options.map(item)),
  );
  return { node: menu, read: null };
}

const BUILDERS = {
  button,
  plain_text_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  number_input: textInput,
  static_select: select,
  users_select: select,
  channels_select: select,
  conversations_select: select,
  multi_static_select: multiSelect,
  multi_users_select: multiSelect,
  multi_channels_select: multiSelect,
  multi_conversations_select: multiSelect,
  radio_buttons: (element, at) => choiceList(element, at, "radio"),
  checkboxes: (element, at) => choiceList(element, at, "checkbox"),
  datepicker: picker,
  timepicker: picker,
  datetimepicker: picker,
  overflow,
};
