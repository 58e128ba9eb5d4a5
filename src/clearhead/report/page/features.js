// Each deep feature in use: what it responds to, and who uses it.

const FEATURE_STEP = 10;
const ORDERS = [
  ["strength", "Strongest weight"],
  ["classes", "Most classes"],
  ["index", "Index"],
];

let revealFeature = () => {};

function featuresSection() {
  const state = { query: "", of: "", order: "strength", limit: FEATURE_STEP };
  const list = h("div", { class: "feature-list" });
  const rest = h("div");
  const tally = h("span", { class: "muted", role: "status" });
  const top = (f) => Math.max(0, ...f.classes.map(([, w]) => Math.abs(w)));
  const strongest = new Map(DATA.features.map((f) => [f.index, top(f)]));
  const largest = Math.max(1e-12, ...strongest.values());
  const made = new Map();

  const matching = () => {
    const query = state.query.trim().toLowerCase();
    const rows = DATA.features.filter((f) =>
      (!query || String(f.index) === query || String(f.index).startsWith(query) || (f.name ?? "").toLowerCase().includes(query)) &&
      (state.of === "" || f.classes.some(([k]) => String(k) === state.of)));
    const within = (f) => Math.abs(f.classes.find(([k]) => String(k) === state.of)?.[1] ?? 0);
    const orders = {
      strength: (a, b) => (state.of === "" ? strongest.get(b.index) - strongest.get(a.index) : within(b) - within(a)),
      classes: (a, b) => b.classes.length - a.classes.length || strongest.get(b.index) - strongest.get(a.index),
      index: (a, b) => a.index - b.index,
    };
    return rows.sort(orders[state.order]);
  };
  const card = (f) => {
    if (!made.has(f.index)) made.set(f.index, featureCard(f, largest));
    return made.get(f.index);
  };
  const draw = () => {
    const rows = matching();
    fill(list, rows.slice(0, state.limit).map(card),
      !rows.length && h("p", { class: "muted" }, DATA.features.length ? "No feature matches." : "The chosen layer uses no feature."));
    fill(rest, moreButton(Math.min(state.limit, rows.length), rows.length, 20, (n) => { state.limit = n; draw(); }));
    fill(tally, rows.length === DATA.features.length ? "" : plural(rows.length, "feature"));
  };
  const change = (key) => (event) => { state[key] = event.target.value; state.limit = FEATURE_STEP; draw(); };
  const search = h("input", { type: "search", placeholder: "Feature number", "aria-label": "Find a feature by number or name", on: { input: change("query") } });
  const filter = h("select", { "aria-label": "Only features of a class", on: { change: change("of") } },
    h("option", { value: "" }, "All classes"),
    DATA.classes.map((row) => h("option", { value: row.index }, className(row.index).slice(0, 60))));
  const order = h("select", { "aria-label": "Order", on: { change: change("order") } },
    ORDERS.map(([key, words]) => h("option", { value: key }, words)));
  revealFeature = (j) => {
    if (!matching().some((f) => f.index === j)) state.query = state.of = search.value = filter.value = "";
    state.limit = Math.max(state.limit, matching().findIndex((f) => f.index === j) + 1);
    draw();
    drawNow(made.get(j)?.querySelector(".feature-body"));
  };
  draw();
  return h("section", { class: "section", id: "features", "aria-labelledby": "features-title" },
    h("div", { class: "section-head" },
      h("div", null, h("h2", { id: "features-title" }, "Features"),
        h("p", { class: "lead" }, featuresLead())),
      h("div", { class: "controls" }, tally, search, filter, order)),
    explainedPart(), list, rest);
}

function featuresLead() {
  const used = DATA.features.filter((f) => f.classes.length).length;
  const others = DATA.features.length - used;
  return `The ${plural(used, "deep feature")} in use` +
    (others ? `, and ${plural(others, "other")} that the dense layer or a finding names` : "") +
    ": what activates each most and least, and the classes that read it.";
}

function featureCard(f, largest) {
  return h("article", { class: "panel feature", id: `feature-${f.index}`, "aria-labelledby": `feature-${f.index}-title` },
    h("h3", { id: `feature-${f.index}-title` }, h("bdi", null, featureName(f.index)),
      h("small", null, f.classes.length ? `read by ${plural(f.classes.length, "class", "classes")}` : "not read by the sparse layer"),
      nameSource(f), trustBadge(f)),
    drawLater(h("div", { class: "feature-body" }), (body) => fill(body, featureBody(f, largest))));
}

function featureBody(f, largest) {
  const users = h("div", { class: "users" });
  const show = (n) => fill(users,
    f.classes.slice(0, n).map(([k, w]) => h("p", { class: "user" }, classLink(k), signedBar(w, largest),
      h("b", { class: w >= 0 ? "up" : "down" }, weight(w)))),
    moreButton(Math.min(n, f.classes.length), f.classes.length, 20, show));
  show(6);
  const marked = new Map((f.highlights ?? []).map((row) => [row.key, row]));
  const side = (title, glyph, direction, pairs) => h("div", { class: "feature-side" },
    h("h4", null, h("span", { "aria-hidden": "true" }, `${glyph} `), title),
    picturesOf(f, direction), wordsOf(f, direction), growing(pairs, marked));
  return [
    h("div", { class: "feature-facts" },
      h("h4", null, "Activations, in standard deviations"),
      histogram(f.histogram, `Histogram of the activations of feature ${f.index}`),
      f.classes.length > 0 && [h("h4", null, "Weight in each class"), users],
      trustTable(f), bandsOf(f, marked)),
    side("Highest", "▴", "max", f.highest),
    side("Lowest", "▾", "min", f.lowest),
  ];
}

// A few examples, and the others on request.
function growing(pairs, marked) {
  const first = exampleIsImage(pairs) ? 8 : 4;
  const place = h("div");
  const show = (n) => fill(place, tiles(pairs, n, "", marked),
    pairs.length > n && h("button", { type: "button", class: "button quiet", on: { click: () => show(pairs.length) } }, `${pairs.length - n} more`));
  show(first);
  return place;
}
