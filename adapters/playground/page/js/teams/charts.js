// Charts in Adaptive Cards, which Teams draws itself and Microsoft's open renderer does not: as a picture.

const COLOURS = ["#a9b8c6", "#126ed3"];
const WIDTH = 460;
const FONT = 'font-family="Segoe UI, system-ui, sans-serif" font-size="12"';
const escape = (words) => String(words).replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);

/** The card's element as an Image element; anything else as it is. */
export function drawnChart(element) {
  if (element.type === "Chart.HorizontalBar") return image(element, ...bars(element.data));
  if (element.type === "Chart.Line") return image(element, ...lines(element.data));
  return element;
}

function image(element, height, marks) {
  const title = `<text x="0" y="14" font-weight="600" ${FONT}>${escape(element.title ?? "")}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}">${title}${marks}</svg>`;
  const described = [element.title, ...element.data.map((each) => each.legend ?? `${each.x}: ${each.y}`)];
  return {
    type: "Image",
    url: `data:image/svg+xml,${encodeURIComponent(svg)}`,
    altText: described.join("; "),
    width: `${WIDTH}px`,
    height: `${height}px`,
  };
}

function bars(data) {
  const longest = Math.max(1, ...data.map((each) => each.y));
  const rows = data.map((each, row) => {
    const y = 30 + row * 24;
    const label = `<text x="190" y="${y + 12}" text-anchor="end" ${FONT}>${escape(each.x)}</text>`;
    const bar = `<rect x="198" y="${y}" width="${(200 * each.y) / longest}" height="16" rx="2" fill="${COLOURS[1]}"/>`;
    const value = `<text x="${204 + (200 * each.y) / longest}" y="${y + 12}" ${FONT}>${escape(each.y)}</text>`;
    return label + bar + value;
  });
  return [36 + data.length * 24, rows.join("")];
}

function lines(data) {
  const most = Math.max(1, ...data.flatMap((each) => each.values.map((value) => value.y)));
  const times = data.flatMap((each) => each.values.map((value) => Date.parse(value.x)));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (day) => 4 + ((WIDTH - 12) * (Date.parse(day) - first)) / Math.max(1, last - first);
  const y = (value) => 170 - (120 * value) / most;
  const drawn = data.map((each, number) => {
    const points = each.values.map((value) => `${x(value.x)},${y(value.y)}`).join(" ");
    const legend = `<text x="${number * 150 + 18}" y="36" ${FONT}>${escape(each.legend)}: ${escape(each.values.at(-1).y)}</text>`;
    return `<rect x="${number * 150}" y="27" width="12" height="10" fill="${COLOURS[number]}"/>${legend}
      <polyline points="${points}" fill="none" stroke-width="2.5" stroke="${COLOURS[number]}"/>`;
  });
  const day = (at, anchor, time) =>
    `<text x="${at}" y="190" text-anchor="${anchor}" ${FONT}>${new Date(time).toISOString().slice(0, 10)}</text>`;
  return [196, drawn.join("") + day(0, "start", first) + day(WIDTH, "end", last)];
}
