// Adaptive Cards, drawn by Microsoft's own renderer (vendor/adaptivecards.min.js) and dressed as Teams dresses them.

import { el } from "../dom.js";
import { linkNotice } from "../overlay.js";
import { drawnChart } from "./charts.js";
import { HOST_CONFIG } from "./host_config.js";
import { markdownHtml } from "./markdown.js";

const { AdaptiveCards } = window;
const PEOPLE = "graph.microsoft.com/users";
const PICTURE = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><rect width="48" height="48" rx="6" fill="#ebebf9"/><path d="M10 36l10-12 7 8 5-5 6 9z" fill="#5b5fc7"/><circle cx="33" cy="16" r="4" fill="#5b5fc7"/></svg>')}`;

AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = markdownHtml(text);
  result.didProcess = true;
};

/**
 * A card as a node. `people` fill people pickers; `send(action, inputs)` takes {type, id, verb, data} and the values of the inputs
 * for Action.Execute and Action.Submit. Links show a notice, and the card unfolds Action.ShowCard by itself.
 */
export function cardNode(json, { people, send }) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = new AdaptiveCards.HostConfig(HOST_CONFIG);
  card.onExecuteAction = (action) => execute(action, send);
  card.onAnchorClicked = (_element, anchor) => (linkNotice(anchor.href), true);
  card.parse(prepared(json, people), new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_6));
  const node = el("div", { class: "card", "data-testid": "teams-card" });
  const drawn = card.render();
  node.append(drawn ?? el("p", { class: "unsupported" }, json.fallbackText ?? "This card cannot be shown."));
  name(node);
  return node;
}

function execute(action, send) {
  const type = action.getJsonTypeName();
  if (type === "Action.OpenUrl") linkNotice(action.url, action.title);
  else if (type === "Action.Execute" || type === "Action.Submit")
    send(
      { type, id: action.id ?? null, verb: action.verb ?? null, data: action.toJSON().data ?? {} },
      inputsOf(action),
    );
}

function inputsOf(action) {
  const inputs = Object.values(action.getReferencedInputs() ?? {});
  return Object.fromEntries(
    inputs.filter((each) => each.id && each.isSet()).map((each) => [each.id, String(each.value)]),
  );
}

/** The card with people filled into its people pickers, and without pictures from elsewhere: nothing is loaded from outside. */
function prepared(value, people) {
  if (Array.isArray(value)) return value.map((each) => prepared(each, people));
  if (value === null || typeof value !== "object") return value;
  if (String(value.type).startsWith("Chart.")) return drawnChart(value);
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, key === "data" ? each : prepared(each, people)]),
  );
  if (copy.type === "Image" && !String(copy.url).startsWith("data:image/")) copy.url = PICTURE;
  if (copy.type === "Input.ChoiceSet" && copy["choices.data"]?.dataset === PEOPLE) pickPeople(copy, people);
  return copy;
}

function pickPeople(input, people) {
  delete input["choices.data"];
  input.style = "compact";
  input.choices = [
    ...(input.choices ?? []),
    ...people.map((each) => ({ title: each.name, value: each.aadObjectId })),
  ];
}

/** Names that tests and the keyboard find their way by. */
function name(node) {
  node.querySelectorAll(".ac-pushButton").forEach((button) => {
    button.dataset.testid = "teams-button";
    button.dataset.focus = button.textContent;
  });
  node
    .querySelectorAll("input, select, textarea")
    .forEach((input, number) => (input.dataset.focus = `input ${number}`));
}
