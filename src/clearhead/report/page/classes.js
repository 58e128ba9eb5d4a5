// Each class: how well it is told, and the features that tell it.

const CLASS_STEP = 50;
const CARD_STEP = 12;
// A feature of small weight fades, but stays readable.
const FLOOR = 0.72;

let revealClass = () => {};

const classColumns = [
  { key: "name", words: "Class", value: (r) => r.name, text: true },
  { key: "features", words: "Features", value: (r) => r.n_features },
  { key: "recall", words: "Recall, sparse", value: (r) => r.recall?.value },
  { key: "dense", words: "Recall, dense", value: (r) => r.dense_recall?.value },
  { key: "precision", words: "Precision, sparse", value: (r) => r.precision?.value },
];

function classesSection() {
  const state = { query: "", sort: null, down: false, limit: CLASS_STEP };
  const open = new Set();
  const body = h("tbody");
  const head = h("tr");
  const rest = h("div");
  const scale = scaleOf(DATA.classes.flatMap((r) => [r.recall, r.dense_recall, r.precision]));

  const matching = () => {
    const query = state.query.toLowerCase();
    const rows = DATA.classes.filter((r) => !query || className(r.index).toLowerCase().includes(query));
    const column = classColumns.find((c) => c.key === state.sort);
    if (!column) return rows;
    const turn = state.down ? -1 : 1;
    const compare = column.text
      ? (a, b) => turn * String(column.value(a)).localeCompare(String(column.value(b)), undefined, { numeric: true })
      : (a, b) => turn * ((column.value(a) ?? Infinity) - (column.value(b) ?? Infinity) || 0);
    return [...rows].sort(compare);
  };
  const draw = () => {
    const rows = matching();
    fill(head, classColumns.map((c) => headerCell(c, state, draw)));
    // A class that is open stays, however far down: a link may have led to it.
    fill(body, rows.filter((row, i) => i < state.limit || open.has(row.index)).flatMap((row) => classRows(row, open, scale)),
      !rows.length && h("tr", null, h("td", { colspan: classColumns.length, class: "muted" }, "No class has this name.")));
    fill(rest, moreButton(Math.min(state.limit, rows.length), rows.length, CLASS_STEP, (n) => { state.limit = n; draw(); }));
  };
  const search = h("input", { type: "search", placeholder: "Find a class", "aria-label": "Find a class",
    on: { input: () => { state.query = search.value; state.limit = CLASS_STEP; draw(); } } });
  revealClass = (k) => {
    open.add(k);
    if (!matching().some((r) => r.index === k)) state.query = search.value = "";
    draw();
  };
  draw();
  return h("section", { class: "section", id: "classes", "aria-labelledby": "classes-title" },
    h("div", { class: "section-head" },
      h("div", null, h("h2", { id: "classes-title" }, "Classes"),
        h("p", { class: "lead" }, "Open a class to see the features that speak for it and against it, and what they respond to. The thin line beside a recall is the dense layer's.")),
      K > 8 && search),
    MIRRORED && h("p", { class: "note" }, "The two classes mirror each other: what speaks for ", said(className(0), { class: "strong" }),
      " speaks against ", said(className(1), { class: "strong" }), ", with the same weight."),
    h("div", { class: "panel flush" }, h("table", { class: "classes" }, h("thead", null, head), body)), rest);
}

function headerCell(column, state, draw) {
  const active = state.sort === column.key;
  const act = () => {
    state.down = active ? !state.down : !column.text && column.key === "features";
    state.sort = column.key;
    draw();
  };
  return h("th", { scope: "col", class: column.text || column.key === "features" ? "" : "number", "aria-sort": active ? (state.down ? "descending" : "ascending") : "none" },
    h("button", { type: "button", class: "sort", on: { click: act } }, column.words,
      h("span", { "aria-hidden": "true" }, active ? (state.down ? " ↓" : " ↑") : "")));
}

function classRows(row, open, scale) {
  const k = row.index;
  const inside = h("td", { colspan: classColumns.length });
  const detail = h("tr", { class: "detail", id: `class-${k}-detail`, hidden: !open.has(k) }, inside);
  const paint = () => inside.childElementCount || fill(inside, classDetail(row));
  const button = h("button", { type: "button", class: "row-open", "aria-expanded": String(open.has(k)), "aria-controls": `class-${k}-detail` },
    h("span", { class: "arrow", "aria-hidden": "true" }, "›"), said(className(k)));
  const toggle = () => {
    const now = !open.has(k);
    open[now ? "add" : "delete"](k);
    detail.hidden = !now;
    button.setAttribute("aria-expanded", String(now));
    if (now) paint();
  };
  if (open.has(k)) paint();
  const cell = (label, ...content) => h("td", { class: "number", "data-label": label }, content);
  const line = h("tr", { class: "row", id: `class-${k}`, on: { click: toggle } },
    h("th", { scope: "row" }, button),
    cell("Features", h("span", { class: "used" }, h("b", null, count(row.n_features)), classStrip(row))),
    cell("Recall, sparse", measured(row.recall, { ...scale, reference: row.dense_recall?.value })),
    cell("Recall, dense", measured(row.dense_recall, { ...scale, tone: "grey" })),
    cell("Precision, sparse", measured(row.precision, scale)));
  return [line, detail];
}

function classStrip(row) {
  const largest = Math.max(...row.features.map((f) => Math.abs(f.weight)), 1e-12);
  return strip(P, row.features.map((f) => ({ at: f.feature, size: f.weight / largest, tone: f.weight >= 0 ? "up" : "down" })),
    { height: 26, both: true, label: `${count(row.n_features)} of ${count(P)} features, up for and down against` });
}

function classDetail(row) {
  const cards = h("div");
  const views = { sparse: row.features, dense: row.dense_features };
  let limit = CARD_STEP;
  const draw = (view) => {
    const list = views[view];
    const largest = Math.max(...list.map((f) => Math.abs(f.weight)), 1e-12);
    fill(cards,
      h("p", { class: "lead" }, detailLead(row, view)),
      h("div", { class: "cards" }, list.slice(0, limit).map((f) => classFeatureCard(row, f, largest, view === "sparse"))),
      moreButton(Math.min(limit, list.length), list.length, CARD_STEP, (n) => { limit = n; draw(view); }));
  };
  draw("sparse");
  return h("div", { class: "class-detail" },
    row.dense_features.length > 0 && choice("Which layer", [
      ["sparse", `Sparse: ${plural(row.n_features, "feature")}`],
      ["dense", `Dense: top ${count(row.dense_features.length)} of ${count(Math.round(dense?.features_per_class ?? P))}`],
    ], "sparse", (view) => { limit = CARD_STEP; draw(view); }),
    cards);
}

function detailLead(row, view) {
  const list = view === "sparse" ? row.features : row.dense_features;
  if (!list.length) return "No feature is used: the layer tells this class by its intercept alone.";
  const first = list[0];
  const share = view === "sparse" && known(first.share) ? ` and ${wholePercent(first.share)} of the class's evidence` : "";
  const of = view === "sparse" ? "" : ` of the ${plural(Math.round(dense?.features_per_class ?? P), "feature")} that the dense layer adds up`;
  return `The strongest${of} is feature ${first.feature}, with weight ${weight(first.weight)}${share}.`;
}

function classFeatureCard(row, f, largest, hasShare) {
  const card = featureOf.get(f.feature);
  const strengthShare = Math.abs(f.weight) / largest;
  const head = h("div", { class: "card-head" }, sign(f.weight),
    h("h4", null, featureLink(f.feature)),
    h("b", { class: f.weight >= 0 ? "weight up" : "weight down" }, weight(f.weight)));
  const bar = h("div", { class: "weight-bar", "aria-hidden": "true" },
    h("i", { class: f.weight >= 0 ? "up" : "down", style: { width: `${100 * strengthShare}%` } }));
  const share = hasShare && known(f.share) && h("p", { class: "share" }, `${wholePercent(f.share)} of the evidence for the class`);
  if (!card)
    return h("article", { class: "card bare" }, head, bar, share,
      h("p", { class: "muted" }, "The sparse layer does not use this feature, so no examples of it were kept."));
  // A negative weight turns the feature round: its lowest examples speak for the class.
  const [for_, against] = f.weight >= 0 ? [card.highest, card.lowest] : [card.lowest, card.highest];
  const [up, down] = f.weight >= 0 ? ["max", "min"] : ["min", "max"];
  const marked = new Map((card.highlights ?? []).map((row) => [row.key, row]));
  return h("article", { class: "card", style: { "--fade": (FLOOR + (1 - FLOOR) * strengthShare).toFixed(3) } },
    head, bar, share,
    h("div", { class: "fading" },
      h("p", { class: "side" }, h("span", { class: "up", "aria-hidden": "true" }, "＋ "), "Speaks for it"),
      cloud(card, up), picturesOf(card, up),
      drawLater(h("div", { class: "tiles-place" }), (place) => fill(place, tiles(for_, 4, "", marked))),
      h("p", { class: "side" }, h("span", { class: "down", "aria-hidden": "true" }, "－ "), "Speaks against it"),
      cloud(card, down), picturesOf(card, down),
      drawLater(h("div", { class: "tiles-place" }), (place) => fill(place, tiles(against, exampleIsImage(against) ? 4 : 2, "", marked)))));
}

const exampleIsImage = (pairs) => pairs.some(([key]) => safeImage(exampleOf.get(key)?.image));
