// What was run, on what, and how to read the numbers.

function aboutSection() {
  return h("section", { class: "section", id: "about", "aria-labelledby": "about-title" },
    h("div", { class: "section-head" }, h("div", null, h("h2", { id: "about-title" }, "About this run"))),
    h("div", { class: "pair" },
      h("div", { class: "panel" }, h("h3", null, "Network"), modelFacts(), h("h3", null, "Data"), dataFacts(), problemsPart()),
      h("div", { class: "panel" }, h("h3", null, "How to read this page"), howToRead(), limitsPart())),
    pathTable(),
    h("footer", null, h("p", null, "Made by ", said(DATA.made_by), ` · report schema ${DATA.schema_version} · this file asks nothing of any server`)));
}

const facts = (rows) => h("dl", { class: "facts" },
  rows.filter(Boolean).map(([name, ...value]) => [h("dt", null, name), h("dd", null, value)]));

function modelFacts() {
  const m = DATA.model;
  return facts([
    ["Name", said(m.name)],
    ["Takes", m.modality === "image" ? "images" : "text"],
    ["Deep features", `${count(m.n_features)}${m.n_dead ? `, ${count(m.n_dead)} of them constant on the training split and left out` : ""}`],
    ["Decision layer", m.layer ? h("code", null, clean(m.layer)) : "none of its own: an encoder"],
    m.has_head && ["Its classes", m.same_classes ? "those of the data" : "other than those of the data"],
    ["Fingerprint", h("code", null, clean(m.fingerprint))],
  ]);
}

function dataFacts() {
  const d = DATA.data;
  const sizes = (row) => {
    if (K > 6 || row.per_class.length !== K) return `${count(row.n)} examples, ${count(Math.min(...row.per_class))}${DASH}${count(Math.max(...row.per_class))} a class`;
    return [`${count(row.n)} examples: `, row.per_class.map((n, k) => [k ? ", " : "", `${count(n)} `, said(className(k))])];
  };
  return facts([
    ["Name", said(d.name)],
    ...d.splits.map((row) => [capital(row.split), sizes(row)]),
    ["Metadata", d.metadata.length ? d.metadata.map((name, i) => [i ? ", " : "", said(name)]) : "no columns"],
    d.notes.length > 0 && ["Notes", d.notes.map((note) => h("p", null, prose(note)))],
    ["Fingerprint", h("code", null, clean(d.fingerprint))],
  ]);
}

function problemsPart() {
  const rows = DATA.data.problems;
  return [
    h("h3", null, "Problems counted in the data"),
    rows.length
      ? h("ul", { class: "problems" }, rows.map((row) => h("li", null, h("b", null, `${count(row.count)} × `, said(row.kind)), ": ", prose(row.message),
        row.examples.length > 0 && h("small", null, "for example ", row.examples.map((id, i) => [i ? ", " : "", said(id)])))))
      : h("p", { class: "muted" }, "None: every example was read and used."),
  ];
}

function howToRead() {
  const rows = [
    ["Deep features", "The numbers that the network hands to its last layer. Each is standardised on the training split: 0 is its mean, and 1\u2009σ is one standard deviation."],
    ["Weight", "How much a class's score changes when a feature grows by one standard deviation. ▲ adds to the score, ▼ takes from it; so for ▼ it is the lowest examples that speak for the class."],
    ["Evidence", "What a feature adds to a class's lead over the best other class. Shares are of all that speaks for the class, on its validation examples."],
    ["Regularization path", "The same layer for many strengths λ of the elastic net, from no feature to many. λ trades accuracy for fewer features."],
    ["Duality gap", "A computed bound on how far a layer is from the best possible one for its λ: 3e-5 means that no other weights can lower its objective by more than 0.003%."],
    ["Confirmed", "A finding is proposed on validation and tested once on test; it is confirmed when the test split agrees at 5% after Holm's correction for the number of tests."],
    ["Intervals", "Every share comes with its 95% interval. Two shares whose intervals overlap widely may well be equal."],
  ];
  return h("dl", { class: "reading-list" }, rows.map(([name, words]) => [h("dt", null, name), h("dd", null, words)]));
}

const limitsPart = () => DATA.limits.length > 0 && [
  h("h3", null, "What was not done"),
  h("ul", { class: "problems" }, DATA.limits.map((words) => h("li", null, prose(words)))),
];

function pathTable() {
  const list = DATA.path.points;
  const inside = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Points of the path" });
  const splits = CURVES.map(([name]) => name).filter((name) => list.some((q) => q.accuracy[name]));
  const draw = () => inside.childElementCount || fill(inside, h("table", { class: "plain-table points" },
    h("thead", null, h("tr", null, ["", "λ", "Features a class", "Features used", "Non-zero", "Gap", "KKT", ...splits.map(capital), "Status"]
      .map((words) => h("th", { scope: "col", class: "number" }, words)))),
    h("tbody", null, list.map((q, i) => h("tr", { class: i === DATA.path.selected ? "is-chosen" : "" },
      h("th", { scope: "row", class: "number" }, i === DATA.path.selected ? "chosen ●" : i + 1),
      [strength(q.lam), amount(q.features_per_class), count(q.n_features), count(q.n_nonzero), tiny(q.gap), tiny(q.kkt),
        ...splits.map((name) => percent(q.accuracy[name]?.value))].map((words) => h("td", { class: "number" }, words)),
      h("td", { class: q.status === "optimal" ? "number good" : "number bad" }, q.status === "optimal" ? "✓ optimal" : `✗ ${clean(q.status)}`))))));
  const p = DATA.path;
  return h("details", { class: "panel", id: "path-table", on: { toggle: draw } },
    h("summary", null, h("h3", null, `The ${plural(list.length, "point")} of the path`),
      h("small", null, `${clean(p.family)} elastic net, l1_ratio ${p.l1_ratio}, tolerance ${tiny(p.tol)}`)), inside);
}
