// Moments as a person in a time zone reads them.

const formats = new Map();

function format(zone, options) {
  const key = JSON.stringify([zone, options]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
  return formats.get(key);
}

export const timeOf = (date, zone) => format(zone, { hour: "2-digit", minute: "2-digit" }).format(date);
export const dayOf = (date, zone) => format(zone, { weekday: "long", day: "numeric", month: "long" }).format(date);
export const shortDayOf = (date, zone) =>
  format(zone, { weekday: "short", day: "numeric", month: "short" }).format(date);
export const longDateOf = (date, zone) =>
  format(zone, { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(date);
export const dateOf = (date, zone, month = "long") =>
  format(zone, { day: "numeric", month, year: "numeric" }).format(date);
export const numericDateOf = (date, zone) =>
  format(zone, { day: "2-digit", month: "2-digit", year: "numeric" }).format(date);

/** "Berlin" for "Europe/Berlin". */
export const placeOf = (zone) => zone.split("/").pop().replaceAll("_", " ");

function clockIn(date, zone) {
  const parts = format(zone, {
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  })
    .formatToParts(date)
    .reduce((all, part) => ({ ...all, [part.type]: part.value }), {});
  return {
    weekday: parts.weekday,
    hours: Number(parts.hour) + Number(parts.minute) / 60 + Number(parts.second) / 3600,
  };
}

/** Hours from `date` to the next 9:00 of a Monday to Friday in `zone`; tried day by day, since days may have 23 hours. */
export function hoursToWorkingMorning(date, zone) {
  const here = clockIn(date, zone).hours;
  for (let day = here < 9 ? 0 : 1; ; day++) {
    let hours = day * 24 + 9 - here;
    const there = clockIn(new Date(date.getTime() + hours * 3_600_000), zone);
    hours += ((((9 - there.hours + 12) % 24) + 24) % 24) - 12;
    if (there.weekday !== "Sat" && there.weekday !== "Sun" && hours > 0) return hours;
  }
}
