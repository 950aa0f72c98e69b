// Reads {name: card} from stdin and writes {name: [what Microsoft's own renderer has against it]} to stdout.
import { readFileSync } from 'node:fs';
import ac from 'adaptivecards/dist/adaptivecards.js'; // its lib/ is for bundlers

const version = new ac.Version(1, 5); // the newest that Teams takes from bots
// Teams shows six actions: learn.microsoft.com, "Cards reference", section Adaptive Card.
const teams = new ac.HostConfig({ actions: { maxActions: 6 } });

// Values that the renderer leaves out when it writes a card, since they are what it takes for missing.
const DEFAULTS = {
  'Action.Execute': { style: 'default' },
  'Action.OpenUrl': { style: 'default' },
  'Action.ShowCard': { style: 'default' },
  'Action.Submit': { style: 'default', associatedInputs: 'auto' },
  AdaptiveCard: { version: '1.5' },
  'Input.ChoiceSet': { style: 'compact', isMultiSelect: false },
  'Input.Text': { style: 'text', isMultiline: false },
};

function complaints(json) {
  const context = new ac.SerializationContext(version); // reports what is newer than that
  const card = new ac.AdaptiveCard();
  card.hostConfig = teams;
  card.parse(json, context);
  const found = [];
  for (let i = 0; i < context.eventCount; i++) found.push(said(context.getEventAt(i)));
  for (const event of card.validateProperties().validationEvents) found.push(said(event));
  return [...found, ...lost(json, card.toJSON(new ac.SerializationContext(version)), '')];
}

const said = (event) => `${ac.ValidationEvent[event.event]}: ${event.message}`;

// What the parser has not understood is missing when it writes the card.
function lost(before, after, where) {
  if (before === null || typeof before !== 'object') return same(before, after) ? [] : [`changed: ${where}`];
  if (Array.isArray(before) && before.length !== after?.length) return [`lost: ${where}`];
  return Object.entries(before).flatMap(([name, value]) => {
    if (after !== null && typeof after === 'object' && name in after) return lost(value, after[name], `${where}/${name}`);
    return DEFAULTS[before.type]?.[name] === value ? [] : [`lost: ${where}/${name} of ${before.type}`];
  });
}

// Names such as "large" may be written in any case.
const same = (before, after) => String(before).toLowerCase() === String(after).toLowerCase();

// The card as a client shows it that knows an element, or as one that does not and takes the fallback.
function chosen(json, fallback) {
  if (Array.isArray(json)) return json.map((each) => chosen(each, fallback));
  if (json === null || typeof json !== 'object') return json;
  const { fallback: instead, ...itself } = json;
  if (fallback && instead) return chosen(instead, fallback);
  return Object.fromEntries(Object.entries(itself).map(([name, value]) => [name, chosen(value, fallback)]));
}

// A refresh must be an Action.Execute: a client without it refreshes nothing.
const withoutRefresh = ({ refresh, ...card }) => card;

const cards = JSON.parse(readFileSync(0, 'utf8'));
const judged = Object.entries(cards).map(([name, card]) => [
  name,
  [...complaints(chosen(card, false)), ...complaints(chosen(withoutRefresh(card), true))],
]);
process.stdout.write(JSON.stringify(Object.fromEntries(judged)));
