// The layers compared: accuracy, proof, and how much of each a person can read.

const NAMES = { sparse: "Sparse", dense: "Dense", network: "Network's own" };

function layersSection() {
  return h("section", { class: "section", id: "layer", "aria-labelledby": "layer-title" },
    h("div", { class: "section-head" }, h("div", null, h("h2", { id: "layer-title" }, "Decision layer"),
      h("p", { class: "lead" }, "What was gained and lost by making the layer sparse."))),
    layersPanel(), ablationPanel(), analysisPanel());
}

function layersPanel() {
  return h("div", { class: "panel split" },
    h("div", null, h("h3", null, "Layers compared"), h("p", { class: "lead" }, layersWords()),
      DATA.agreement_note && h("p", { class: "hint" }, said(DATA.agreement_note))),
    h("div", null, layersTable(), agreementPart()));
}

function layersWords() {
  if (!sparseAccuracy || !denseAccuracy) return "Accuracy of each layer on the same deep features.";
  const drop = sparseAccuracy.value - denseAccuracy.value;
  const ratio = (dense.features_per_class ?? P) / (sparseFeatures || 1);
  const apart = sparseAccuracy.high < denseAccuracy.low || denseAccuracy.high < sparseAccuracy.low;
  return `The sparse layer reads ${ratio >= 10 ? count(ratio) : ratio.toFixed(1)} times fewer features than the dense one, ` +
    `for ${points(drop)} of ${JUDGE} accuracy; ${apart ? "the difference is larger than chance explains." : "their intervals overlap."}`;
}

function ablationPanel() {
  const rows = DATA.ablation;
  const title = h("h3", null, "Is the top of the layer the layer?");
  if (!rows.length) return h("div", { class: "panel" }, title, h("p", { class: "muted" }, "This was not measured."));
  const ks = [...new Set(rows.map((r) => r.k))].sort((a, b) => a - b);
  const of = (k, layer) => rows.find((r) => r.k === k && r.layer === layer);
  // The number of features that the words speak of: a page full, no more.
  const told = ks.filter((k) => k <= 5).pop() ?? ks[0];
  return h("div", { class: "panel split" },
    h("div", null, title, h("p", { class: "lead" }, ablationWords(told, of(told, "sparse"), of(told, "dense"))),
      h("p", { class: "hint" }, "Test accuracy when each class may use only its strongest features, and when it may use all but those. The thin line is the whole layer.")),
    ablationTable(ks, of, scaleOf(rows.flatMap((r) => [r.all, r.top, r.rest]))));
}

function ablationTable(ks, of, scale) {
  const names = ["sparse", "dense"].filter((name) => ks.some((k) => of(k, name)));
  const cell = (label, row, key) => h("td", { class: "number", "data-label": label },
    measured(row?.[key], { ...scale, reference: row?.all.value, tone: row?.layer === "dense" ? "grey" : "" }));
  return h("table", { class: "plain-table stack ablation" },
    h("thead", null,
      h("tr", null, h("th", { scope: "col" }, "Features of a class"), names.map((name) => [
        h("th", { scope: "col", class: "number" }, `${NAMES[name]}: only those`),
        h("th", { scope: "col", class: "number" }, `${NAMES[name]}: all but those`)]))),
    h("tbody", null,
      ks.map((k) => h("tr", null, h("th", { scope: "row" }, k === 1 ? "The strongest" : `Top ${k}`), names.map((name) => [
        cell(`${NAMES[name]}: only those`, of(k, name), "top"), cell(`${NAMES[name]}: all but those`, of(k, name), "rest")]))),
      h("tr", null, h("th", { scope: "row" }, "All"), names.map((name) => [
        cell(`${NAMES[name]}: all`, ks.map((k) => of(k, name)).find(Boolean), "all"), h("td", { class: "number muted" })]))));
}

function ablationWords(k, sparseRow, denseRow) {
  const one = sparseRow ?? denseRow;
  const keeps = (r) => `${percent(r.top.value)} of ${percent(r.all.value)}`;
  if (!sparseRow || !denseRow)
    return `With only its top ${k} features a class the ${one.layer} layer is right on ${percent(one.top.value)} of the test examples, of ${percent(one.all.value)} with all; without them on ${percent(one.rest.value)}.`;
  const lost = (r) => r.all.value - r.top.value;
  const fact_ = `With only the top ${k} features of each class, the sparse layer keeps ${keeps(sparseRow)}, the dense layer ${keeps(denseRow)}. `;
  if (lost(sparseRow) <= 0.03 && lost(denseRow) > lost(sparseRow) + 0.02)
    return `${fact_}Who reads ${k} features has read nearly all of the sparse layer, but not the dense one, which spreads the same evidence over many features.`;
  if (lost(sparseRow) < lost(denseRow) - 0.01)
    return `${fact_}The top ${k} say more about the sparse layer than about the dense one, but not everything: read further down the list.`;
  if (lost(sparseRow) <= 0.03) return `${fact_}Here the top ${k} features carry either layer.`;
  return `${fact_}The top ${k} features are not enough to know the sparse layer: choose a sparser point, or read further down the list.`;
}

function layersTable() {
  const splits = ["train", "validation", "test"].filter((name) => DATA.layers.some((l) => l.accuracy[name]));
  const scale = scaleOf(DATA.layers.flatMap((l) => splits.map((name) => l.accuracy[name])));
  return h("table", { class: "plain-table stack" },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Layer"), h("th", { scope: "col", class: "number" }, "Features"),
      splits.map((name) => h("th", { scope: "col", class: "number" }, capital(name))), h("th", { scope: "col", class: "number" }, "Gap"))),
    h("tbody", null, DATA.layers.map((l) => h("tr", null,
      h("th", { scope: "row" }, NAMES[l.name] ?? l.name, h("small", null, said(l.description), known(l.lam) && `; λ = ${strength(l.lam)}`)),
      h("td", { class: "number", "data-label": "Features" }, h("span", { class: "measured" }, h("b", null, amount(l.features_per_class)), h("small", null, "a class"))),
      splits.map((name) => h("td", { class: "number", "data-label": capital(name) }, measured(l.accuracy[name], { ...scale, tone: l.name === "sparse" ? "" : "grey" }))),
      h("td", { class: "number", "data-label": "Gap" }, l.gap === null ? h("span", { class: "muted" }, DASH)
        : h("span", { class: "measured" }, h("b", null, tiny(l.gap)), h("small", null, l.status === "optimal" ? "✓ optimal" : clean(l.status))))))));
}

function agreementPart() {
  const rows = DATA.agreement;
  if (!rows.length) return null;
  const scale = scaleOf(rows.map((r) => r.agreement));
  return [
    h("h4", { class: "apart" }, "How often a layer predicts what the network predicts"),
    h("div", { class: "bars" }, rows.map((r) => h("p", { class: "bar-row" },
      h("span", null, `${NAMES[r.layer]}, ${r.split}`, known(r.kl) && h("small", null, ` KL ${tiny(r.kl)}`)), measured(r.agreement, { ...scale, tone: r.layer === "dense" ? "grey" : "" })))),
  ];
}
