// What explains a feature beside its examples: words, pictures, its name, and whether to trust them.

const WORDS_SHOWN = 8;
const SOURCES = {
  person: "named by a person",
  words: "named after its words",
  enrichment: "named after where it fires",
  vocabulary: "named from a vocabulary",
};

function nameSource(f) {
  if (!f.name || !SOURCES[f.name_source]) return null;
  const score = f.name_source !== "person" && known(f.name_score) ? `, which tells ${percent(f.name_score)} of test examples` : "";
  return h("small", { class: "muted" }, SOURCES[f.name_source] + score);
}

const explainedPart = () => (DATA.explained ?? []).length > 0 && h("details", { class: "explained" },
  h("summary", null, "How the features were explained, and how far to trust it"),
  h("ul", { class: "plain-list" }, DATA.explained.map((words) => h("li", null, prose(words)))));

// Clear: some explanation tells, on examples it has not seen, when the feature fires.
function trustBadge(f) {
  const rows = f.trust ?? [];
  if (!rows.length) return null;
  const clear = rows.some((row) => row.clear);
  return h("span", { class: `badge ${clear ? "clear" : "unclear"}`,
    title: clear ? "An explanation tells, on test examples, when it fires" : "No explanation tells when it fires: read it with doubt" },
  clear ? "◆ clear" : "◇ unclear");
}

function trustTable(f) {
  const rows = f.trust ?? [];
  if (!rows.length) return null;
  const scale = { low: 0.4, high: 1, reference: 0.5 };
  return [
    h("h4", null, "Does the explanation tell when it fires?"),
    h("div", { class: "trust" }, rows.map((row) => h("p", null,
      h("span", null, `${capital(row.explanation)}, fires ${row.direction}`),
      measured(row.accuracy, { ...scale, tone: row.clear ? "" : "grey" })))),
    h("p", { class: "muted scale-note" }, "balanced accuracy on test; the thin line is chance"),
  ];
}

function wordsOf(f, direction) {
  const up = direction === "max";
  const rows = (f.words ?? []).filter((row) => (up ? row.weight > 0 : row.weight < 0));
  if (!rows.length) return null;
  const largest = Math.max(...f.words.map((row) => Math.abs(row.weight)), 1e-12);
  const line = (row) => h("li", { title: `${weight(row.weight)} σ ± ${Math.abs(row.std_error).toFixed(2)}, ${plural(row.count, "time")}` },
    said(row.word), h("i", { class: up ? "up" : "down", "aria-hidden": "true", style: { width: `${(100 * Math.abs(row.weight)) / largest}%` } }),
    h("b", null, weight(row.weight)));
  const list = h("ul", { class: "word-bars" });
  const show = (n) => fill(list, rows.slice(0, n).map(line),
    rows.length > n && h("li", null, h("button", { type: "button", class: "button quiet", on: { click: () => show(rows.length) } }, `${rows.length - n} more words`)));
  show(WORDS_SHOWN);
  return list;
}

// The strongest words of a direction as a small cloud: size goes with weight.
function cloud(f, direction, most = 12) {
  const up = direction === "max";
  const rows = (f.words ?? []).filter((row) => (up ? row.weight > 0 : row.weight < 0)).slice(0, most);
  const largest = Math.max(...rows.map((row) => Math.abs(row.weight)), 1e-12);
  return rows.length > 0 && h("p", { class: "cloud" }, rows.map((row) => [
    said(row.word, { class: up ? "up" : "down", title: `${weight(row.weight)} σ, ${plural(row.count, "time")}`,
      style: { "font-size": `${(12 + (10 * Math.abs(row.weight)) / largest).toFixed(1)}px` } }), " "]));
}

function picturesOf(f, direction) {
  const rows = (f.pictures ?? []).filter((row) => row.direction === direction && safeImage(row.image));
  if (!rows.length) return null;
  return h("div", { class: "made" }, rows.map((row) => {
    const reached = `${deviations(row.activation)}${known(row.percentile) ? `, above ${row.percentile.toFixed(1)}% of real examples` : ""}`;
    const words = row.failed ? `Failed to activate it: ${reached}` : `Made to ${direction === "max" ? "activate" : "silence"} it: ${reached}`;
    return h("figure", { class: row.failed ? "failed" : "" },
      h("img", { src: row.image, alt: words, loading: "lazy", decoding: "async" }),
      h("figcaption", null, row.failed && h("b", null, "failed "), deviations(row.activation)));
  }));
}

function bandsOf(f, marked) {
  const bands = (f.bands ?? []).filter((band) => band.examples.length);
  if (!bands.length) return null;
  const share = (value) => `${Math.round(100 * value)}`;
  return h("details", { class: "bands" }, h("summary", null, "Between the ends"),
    bands.map((band) => [
      h("h5", null, `${share(band.low)} to ${share(band.high)}% of examples`),
      tiles(band.examples, 3, "", marked)]));
}

// A text with the words that drive the feature marked; the words themselves stay text.
function markedText(text, spans) {
  const characters = Array.from(text); // spans count code points, not halves of surrogate pairs
  const cut = (start, end) => clean(characters.slice(start, end).join(""));
  const parts = [];
  let at = 0;
  const largest = Math.max(...spans.map((span) => Math.abs(span[2])), 1e-12);
  for (const [start, end, value] of [...spans].sort((a, b) => a[0] - b[0])) {
    if (start < at || end > characters.length) continue;
    parts.push(cut(at, start));
    parts.push(h("mark", { class: value > 0 ? "up" : "down", title: `${weight(value)} σ`,
      style: { "--share": `${Math.round((45 * Math.abs(value)) / largest)}%` } }, cut(start, end)));
    at = end;
  }
  parts.push(cut(at, LONG));
  return parts;
}

// Everything that was found out about the layer as a whole.
const ANALYSIS = [
  ["similar", "Classes that are told alike"],
  ["shared", "Features that many classes share"],
  ["duplicate", "Features that say the same"],
  ["substitute", "Features that others can stand in for"],
  ["unstable", "Features that depend on the draw of the data"],
];

function analysisPanel() {
  const rows = DATA.analysis ?? [];
  if (!rows.length) return null;
  return h("div", { class: "panel" }, h("h3", null, "The layer as a whole"),
    ANALYSIS.map(([kind, title]) => {
      const list = rows.filter((row) => row.kind === kind);
      if (!list.length) return null;
      const place = h("ul", { class: "plain-list" });
      const rest = h("div");
      const show = (n) => {
        fill(place, list.slice(0, n).map((row) => h("li", null, prose(row.words),
          row.features.length > 0 && h("span", { class: "muted" }, " ", row.features.slice(0, 6).map((j, i) => [i ? ", " : "", featureLink(j)])))));
        fill(rest, moreButton(Math.min(n, list.length), list.length, 20, show));
      };
      show(5);
      return h("div", null, h("h4", null, title), place, rest);
    }));
}
