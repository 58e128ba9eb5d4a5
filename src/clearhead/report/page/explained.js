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
  const score = f.name_source !== "person" && known(f.name_score) ? `, balanced accuracy ${percent(f.name_score)}` : "";
  return h("small", { class: "muted" }, SOURCES[f.name_source] + score);
}

const explainedPart = () => (DATA.explained ?? []).length > 0 && h("details", { class: "explained" },
  h("summary", null, "How the features were explained, and how far to trust it"),
  h("ul", { class: "plain-list" }, DATA.explained.map((words) => h("li", null, prose(words)))));

// Clear: some explanation tells, on examples it has not seen, when the feature fires.
function trustBadge(f) {
  const rows = f.trust ?? [];
  if (!rows.length) return null;
  const by = [...new Set(rows.filter((row) => row.clear).map((row) => row.explanation))];
  const clear = by.length > 0;
  return h("span", { class: `badge ${clear ? "clear" : "unclear"}`,
    title: clear ? "An explanation tells, on test examples, when it fires" : "No explanation tells when it fires: read it with doubt" },
  clear ? `◆ clear by its ${listed(by)}` : "◇ unclear");
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
  const line = (row) => h("li", { title: `${weight(row.weight)} σ, 95% interval ${weight(row.low)} to ${weight(row.high)}, ${plural(row.count, "text")}` },
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
    said(row.word, { class: up ? "up" : "down", title: `${weight(row.weight)} σ, ${plural(row.count, "text")}`,
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
      h("figcaption", null, row.failed && h("b", null, "failed "), deviations(row.activation),
        known(row.percentile) && `, beyond ${row.percentile.toFixed(row.percentile > 99.9 ? 0 : 1)}% of real ones`));
  }));
}

function bandsOf(f, marked) {
  const bands = (f.bands ?? []).filter((band) => band.examples.length);
  if (!bands.length) return null;
  return h("details", { class: "bands" }, h("summary", null, "Between the ends"),
    h("p", { class: "muted" }, `One example of each band of activation, highest first: from the ${wholePercent(bands[bands.length - 1].high)} quantile to the ${wholePercent(bands[0].low)} one.`),
    tiles([...bands].reverse().flatMap((band) => band.examples), bands.length, "", marked));
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

// What was found out about the layer as a whole.
const ANALYSIS = [
  ["shared", "What classes share"],
  ["similar", "Classes that are told alike"],
  ["duplicate", "Features that say the same"],
  ["substitute", "What each feature is worth"],
  ["stable", "Would other data choose the same features?"],
];

function analysisPanel() {
  const rows = DATA.analysis ?? [];
  if (!rows.length) return null;
  return h("div", { class: "panel" }, h("h3", null, "The layer as a whole"),
    h("div", { class: "whole" }, ANALYSIS.map(([kind, title]) => {
      const list = rows.filter((row) => row.kind === kind);
      return list.length > 0 && h("div", null, h("h4", null, title),
        h("ul", { class: "plain-list" }, list.map((row) => h("li", null, prose(row.words)))));
    })));
}
