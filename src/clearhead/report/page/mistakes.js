// Where the layer is wrong: pairs of classes, and slices of the metadata.

const SLICE_STEP = 12;

function mistakesSection() {
  return h("section", { class: "section", id: "errors", "aria-labelledby": "errors-title" },
    h("div", { class: "section-head" }, h("div", null, h("h2", { id: "errors-title" }, "Errors"),
      h("p", { class: "lead" }, "What the sparse layer gets wrong on test: which classes it takes for which, and where in the data."))),
    h("div", { class: "pair" },
      h("div", { class: "panel" }, h("h3", null, "Biggest confusions"), confusionsPart()),
      h("div", { class: "panel" }, h("h3", null, "Slices of the metadata"), slicesPart())));
}

function confusionsPart() {
  const rows = DATA.confusions.filter((c) => c.count > 0);
  if (!rows.length) return h("p", { class: "muted" }, "No test example was misclassified.");
  const largest = Math.max(...rows.map((c) => c.count));
  const test = DATA.data.splits.find((row) => row.split === "test");
  const body = h("ol", { class: "confusions" });
  const rest = h("div");
  const show = (n) => {
    fill(body, rows.slice(0, n).map((c) => h("li", null,
      h("span", { class: "pairing" }, classLink(c.true), h("span", { class: "muted" }, " taken for "), classLink(c.predicted)),
      h("span", { class: "tally", "aria-hidden": "true" }, h("i", { style: { width: `${(100 * c.count) / largest}%` } })),
      h("b", null, count(c.count)),
      h("small", null, test?.per_class?.[c.true] ? `${percent(c.count / test.per_class[c.true])} of the class` : ""))));
    fill(rest, moreButton(Math.min(n, rows.length), rows.length, 20, show));
  };
  show(10);
  return [DATA.mended_by_one && mendedWords(DATA.mended_by_one), body, rest];
}

// How often one feature alone is to blame.
const mendedWords = (e) => h("p", { class: "lead blamed" },
  h("b", null, percent(e.value)), ` of the test errors (${range(e)}) would be right if one single feature, another one for each, were set to its mean. Right answers that this would break are not counted: see the findings for features that are better off.`);

function slicesPart() {
  const columns = [...new Set(DATA.slices.map((row) => row.column))];
  if (!columns.length)
    return h("p", { class: "muted" }, DATA.data.metadata.length
      ? "No value of the metadata has enough test examples to compare."
      : "The data have no metadata columns. Give them (a column of a CSV, or a data set that has them) to compare slices.");
  const scale = scaleOf(DATA.slices.map((row) => row.accuracy), sparseAccuracy?.value);
  return columns.map((column) => sliceTable(column, scale))
    .concat(h("p", { class: "hint" }, `The thin line is the accuracy on the whole test split, ${percent(sparseAccuracy?.value)}.`));
}

function sliceTable(column, scale) {
  const rows = DATA.slices.filter((row) => row.column === column).sort((a, b) => a.accuracy.value - b.accuracy.value);
  const few = K <= 2 && rows.some((row) => row.recall.some(Boolean));
  const recalls = scaleOf(rows.flatMap((row) => row.recall));
  const body = h("tbody");
  const rest = h("div");
  const show = (n) => {
    fill(body, rows.slice(0, n).map((row) => h("tr", null,
      h("th", { scope: "row" }, said(row.value), h("small", null, `n = ${count(row.accuracy.n)}`)),
      h("td", { class: "number", "data-label": "Accuracy" }, measured(row.accuracy, { ...scale, reference: sparseAccuracy?.value })),
      few ? Array.from({ length: K }, (_, k) => h("td", { class: "number", "data-label": `Recall, ${className(k)}` }, measured(row.recall[k], recalls)))
        : h("td", { class: "number", "data-label": "Lowest recall" }, lowestRecall(row)))));
    fill(rest, moreButton(Math.min(n, rows.length), rows.length, SLICE_STEP, show));
  };
  show(SLICE_STEP);
  return [
    h("h4", null, said(column)),
    h("table", { class: "plain-table stack slices" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Value"), h("th", { scope: "col", class: "number" }, "Accuracy"),
        few ? Array.from({ length: K }, (_, k) => h("th", { scope: "col", class: "number" }, "Recall, ", said(className(k))))
          : h("th", { scope: "col", class: "number" }, "Lowest recall"))), body),
    rest,
  ];
}

function lowestRecall(row) {
  let worst = -1;
  row.recall.forEach((e, k) => { if (e && (worst < 0 || e.value < row.recall[worst].value)) worst = k; });
  if (worst < 0) return h("span", { class: "muted" }, DASH);
  return h("span", { class: "measured" }, h("b", null, percent(row.recall[worst].value)), h("small", null, classLink(worst)));
}
