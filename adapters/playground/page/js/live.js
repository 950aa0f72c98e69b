// Talking to the emulators: plain requests, and Server-Sent Events that say that something changed.

export class Refused extends Error {}

/** The JSON API below `base`. Both methods throw Refused with the emulator's own words. */
export function api(base) {
  return {
    get: (path, query = {}) => ask(`${base}${path}?${new URLSearchParams(query)}`),
    post: (path, body) =>
      ask(`${base}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      }),
    eventsUrl: (query = {}) => `${base}/events?${new URLSearchParams(query)}`,
  };
}

async function ask(url, options) {
  const response = await fetch(url, options).catch(() => {
    throw new Refused("The playground does not answer. Is it still running?");
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error ?? `The playground answered ${response.status}.`);
  return body;
}

/**
 * Call `onChange` now and at every event, `onConnection(true | false)` when the line comes and goes.
 * Returns a function that ends it. The browser reconnects by itself.
 */
export function follow(url, onChange, onConnection) {
  const source = new EventSource(url);
  source.onmessage = onChange;
  source.onopen = () => onConnection(true);
  source.onerror = () => onConnection(false);
  return () => source.close();
}

/** `work`, never twice at a time; what is asked for meanwhile is done once more at the end. */
export function oneAtATime(work) {
  let running = null;
  let again = false;
  const run = async () => {
    do {
      again = false;
      await work();
    } while (again);
  };
  return () => {
    again = true;
    running ??= run().finally(() => (running = null));
    return running;
  };
}

/** Call `work` once it has been quiet for `milliseconds`. */
export function whenQuiet(work, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds);
  };
}
