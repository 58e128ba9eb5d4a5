// The first sight: what was cut from what, at what cost, and with which proof.

function heroSection() {
  const card = DATA.data;
  const drop = sparseAccuracy && denseAccuracy ? sparseAccuracy.value - denseAccuracy.value : null;
  return h(
    "header",
    { class: "hero", id: "overview" },
    h("p", { class: "eyebrow" },
      h("span", null, "Network ", said(DATA.model.name, { class: "strong" })),
      h("span", null, "Data ", said(card.name, { class: "strong" })),
      h("span", null, plural(K, "class", "classes")),
      h("span", null, `${count(P)} deep features`)),
    h("h1", null,
      "This decision layer reads ",
      h("mark", null, `${amount(sparseFeatures)} of ${count(P)}`),
      " features a class and is right on ",
      h("mark", null, percent(sparseAccuracy?.value)),
      ` of the ${JUDGE} examples`,
      denseAccuracy ? ["; the dense layer, with all of them, on ", h("span", { class: "nowrap" }, percent(denseAccuracy.value), ".")] : "."),
    barcodes(),
    h("dl", { class: "headline" },
      fact("Cost of sparsity", known(drop) ? points(drop) : DASH,
        sparseAccuracy && [`sparse ${withRange(sparseAccuracy)}`, h("br"), `dense ${withRange(denseAccuracy)}`, commonest()], ""),
      findingsFact(),
      proofFact(),
      networkFact() ?? dataFact()),
  );
}

// What always naming the commonest class would reach: without it an accuracy says little.
function commonest() {
  const counts = DATA.data.splits.find((row) => row.split === JUDGE)?.per_class ?? [];
  const total = counts.reduce((sum, n) => sum + n, 0);
  return total ? [h("br"), `commonest class alone ${percent(Math.max(...counts) / total)}`] : [];
}

const fact = (name, value, more, tone) =>
  h("div", { class: `fact ${tone}` }, h("dt", null, name), h("dd", null, h("b", null, value), h("small", null, more)));

function findingsFact() {
  const all = DATA.findings.length;
  const sure = DATA.findings.filter((f) => f.confirmed).length;
  if (!all) return fact("Findings", "none", "the checks found nothing suspicious", "");
  return fact("Findings", h("a", { href: "#findings" }, sure ? `${count(sure)} confirmed` : "none confirmed"),
    ["of ", plural(all, "suspicion"), " raised on validation,", h("br"), "tried again on test"], sure ? "alert" : "");
}

function proofFact() {
  const list = DATA.path.points;
  const optimal = list.filter((q) => q.status === "optimal").length;
  const every = optimal === list.length && list.length > 0;
  const gap = Math.max(...list.map((q) => q.gap).filter(known));
  return fact("Proof of optimality", every ? "✓ all points" : `${count(optimal)} of ${count(list.length)}`,
    [every ? `${plural(list.length, "path point")}: duality gap at most ${tiny(gap)};` : "path points are optimal;", h("br"),
      `${tiny(chosen?.gap)} at the chosen one`], every ? "proven" : "alert");
}

function networkFact() {
  const row = DATA.agreement.find((a) => a.layer === "sparse" && a.split === JUDGE);
  if (!row) return null;
  return fact("Agrees with the network", percent(row.agreement.value),
    [`${range(row.agreement)}% on ${JUDGE}`, networkAccuracy && [h("br"), `the network itself is right on ${percent(networkAccuracy.value)}`]], "");
}

function dataFact() {
  const counted = DATA.data.problems.reduce((sum, row) => sum + row.count, 0);
  const total = DATA.data.splits.reduce((sum, row) => sum + row.n, 0);
  return fact("Examples", count(total),
    [DATA.data.splits.map((row) => `${count(row.n)} ${row.split}`).join(" · "), h("br"),
      counted ? `${plural(counted, "problem")} counted` : "no problem counted"], "");
}

// What the dense layer reads, and what the sparse one reads, on one scale.
function barcodes() {
  const users = DATA.features.filter((f) => f.classes.length);
  const all = Array.from({ length: P }, (_, j) => ({ at: j, size: 1, tone: "dense" }));
  // By the square root, so that a feature of few classes can still be seen.
  const few = users.map((f) => ({ at: f.index, size: Math.max(0.18, Math.sqrt(f.classes.length / K)), tone: "sparse" }));
  const row = (name, words, accuracy, art) => h("div", { class: `barcode ${name}` },
    h("span", { class: "barcode-name" }, h("b", null, capital(name)), h("small", null, words)), art,
    h("span", { class: "barcode-value" }, percent(accuracy?.value)));
  return h("figure", { class: "barcodes" },
    row("dense", `${amount(dense?.features_per_class ?? P)} a class`, denseAccuracy,
      strip(P, all, { height: 34, label: `The dense layer reads all ${count(P)} features` })),
    row("sparse", `${amount(sparseFeatures)} a class`, sparseAccuracy,
      strip(P, few, { height: 34, label: `The sparse layer reads ${count(users.length)} of ${count(P)} features` })),
    h("figcaption", null,
      `One tick for each of the ${count(P)} deep features. The sparse layer uses ${count(users.length)} of them`,
      K > 2 ? ", the taller the more classes use it (square root)." : "."));
}

function pathPanel() {
  return h("section", { class: "panel path-panel", "aria-labelledby": "path-title" },
    h("h2", { id: "path-title" }, "Accuracy along the path"),
    h("p", { class: "lead" }, `Each point is one layer${DATA.path.points.every((q) => q.status === "optimal") ? ", solved to proven optimality" : ""}. Chosen: `, said(DATA.path.rule), "."),
    pathChart(),
    h("p", { class: "hint" }, "Point at the chart, or focus it and use the arrow keys. The band is the 95% interval on ", JUDGE, ". ",
      h("a", { href: "#path-table" }, "The points as a table")));
}
