// In a page with Microsoft's renderer: draws each card of {name: card}, fills its empty inputs in, presses every button
// that is drawn, those of unfolded cards too, and returns {name: [{type, verb, data, url}]}.
function pressEverything(cards) {
  return Object.fromEntries(Object.entries(cards).map(([name, json]) => [name, pressed(filledIn(json))]));
}

function pressed(json) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = new AdaptiveCards.HostConfig({ actions: { maxActions: 6 } });
  const seen = [];
  card.onExecuteAction = (action) =>
    seen.push({ type: action.getJsonTypeName(), verb: action.verb, data: action.data, url: action.url });
  card.parse(json, new AdaptiveCards.SerializationContext(new AdaptiveCards.Version(1, 5)));
  document.body.replaceChildren(card.render());
  // A card that a button unfolds is drawn below all buttons when that is pressed, and gone when another one is.
  const done = new Set();
  for (let next; (next = unpressed(done)); ) {
    done.add(next);
    next.click();
  }
  return seen;
}

const unpressed = (done) => [...document.querySelectorAll('button')].findLast((each) => !done.has(each));

// The renderer sends nothing while a required input is empty.
const ENTERED = { 'Input.Text': () => 'words', 'Input.Number': () => 7, 'Input.Date': () => '2026-03-01' };
ENTERED['Input.ChoiceSet'] = ({ choices }) => choices?.[0]?.value ?? '';

function filledIn(json) {
  if (Array.isArray(json)) return json.map(filledIn);
  if (json === null || typeof json !== 'object') return json;
  const copy = Object.fromEntries(Object.entries(json).map(([name, value]) => [name, filledIn(value)]));
  // Teams itself knows whom a person may be chosen from.
  if (copy['choices.data'] && !copy.choices.length) copy.choices = [{ title: 'Somebody', value: 'somebody' }];
  if (copy.type in ENTERED && !copy.value) copy.value = ENTERED[copy.type](copy);
  return copy;
}
