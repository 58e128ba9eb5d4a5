// Look here first: what may be wrong with the model, ranked.

const KINDS = {
  shortcut: "Shortcut", bias: "Bias", label_noise: "Wrong labels", leak: "Same example in two splits",
  leaning: "Leans on one feature", hub: "Feature of many classes", blame: "Feature to blame", slice: "Weak slice", confusion: "Confused classes", given_up: "Class given up",
};
// So many stand beside the chart; the others follow below it.
const BESIDE = 2;
const MORE = 6;

let revealFinding = () => {};

function findingsPanel() {
  const list = DATA.findings;
  return h("section", { class: "panel", id: "findings", "aria-labelledby": "findings-title" },
    h("h2", { id: "findings-title" }, "Look here first"),
    list.length
      ? [h("p", { class: "lead" }, findingsLead(list)),
        h("ol", { class: "findings" }, list.slice(0, BESIDE).map(findingCard)),
        list.length < BESIDE && h("div", { class: "looked-for" }, h("p", { class: "muted" }, "Looked for:"), checkList())]
      : emptyFindings());
}

function moreFindings() {
  const list = DATA.findings.slice(BESIDE);
  if (!list.length) return null;
  const body = h("ol", { class: "findings wide", start: BESIDE + 1 });
  const rest = h("div");
  const show = (n) => {
    fill(body, list.slice(0, n).map((f, i) => findingCard(f, i + BESIDE)));
    fill(rest, moreButton(Math.min(n, list.length), list.length, MORE, show));
  };
  show(MORE);
  revealFinding = (i) => i - BESIDE >= body.children.length && i < DATA.findings.length && show(i - BESIDE + 1);
  return h("section", { class: "panel further", "aria-label": "Further findings" }, body, rest);
}

// What was put into inputs to find out: a pattern that is in the data and not used is an answer too.
function testedPanel() {
  const list = DATA.tested;
  if (!list.length) return null;
  const used = list.filter((t) => t.used).length;
  const inside = h("div", { class: "scroll" });
  const row = (t) => h("tr", null,
    h("td", { dir: "auto" }, short(clean(t.pattern), 120)),
    h("td", null, className(t.target)),
    h("td", null, `${percent(t.inside)} / ${percent(t.outside)}`),
    h("td", null, `${signed(t.shift.toFixed(2))} (${signed(t.shift_low.toFixed(2))} to ${signed(t.shift_high.toFixed(2))})`),
    h("td", null, `${percent(t.flips)} / ${percent(t.control_flips)}`),
    h("td", null, `${count(t.n)}, ${t.split}`),
    h("td", null, t.used ? "◆ used" : "○ not used"));
  const draw = () => inside.childElementCount || fill(inside, h("table", null,
    h("thead", null, h("tr", null, ["Pattern", "Class", "In it / elsewhere", "Shift of log-odds", "Flips / control", "Tried on", ""].map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", null, list.map(row))));
  return h("section", { class: "panel", id: "tested", "aria-label": "Patterns tested" },
    h("details", { on: { toggle: draw } },
      h("summary", null, `${plural(list.length, "pattern")} put into inputs of other classes: ${count(used)} used, ${count(list.length - used)} not`),
      inside));
}

function findingsLead(list) {
  const sure = list.filter((f) => f.confirmed).length;
  const raised = `${plural(list.length, "suspicion")} ${list.length === 1 ? "was" : "were"} raised on validation`;
  if (!sure) return `${raised}; none held on test.`;
  return `${raised}; ${sure === list.length ? (sure === 1 ? "it" : "all of them") : count(sure)} held on test, corrected for the number of tests.`;
}

function emptyFindings() {
  return h("div", { class: "empty" },
    h("p", { class: "empty-title" }, h("span", { "aria-hidden": "true" }, "○ "), "Nothing suspicious was found by these checks:"),
    checkList(),
    h("p", { class: "muted" }, "This is no proof that the model is sound: look at the classes and what their features respond to."));
}

function checkList() {
  return [
    h("ul", null, DATA.checks.map((words) => h("li", null, said(words)))),
    !DATA.data.metadata.length && h("p", { class: "muted" }, "The data have no metadata columns, so there were no slices to compare."),
  ];
}

function effectText(e, value) {
  if (e.unit === "points") return points(value).replace(/^\+/, "");
  return percent(value);
}

function effectRange(e) {
  return `${signed((100 * e.low).toFixed(1))} to ${signed((100 * e.high).toFixed(1))}${e.unit === "points" ? "" : "%"}`;
}

// The interval on an axis that always holds zero: does it clear it?
function effectMark(e) {
  const edge = Math.max(Math.abs(e.low), Math.abs(e.high), Math.abs(e.value)) * 1.08 || 1;
  const low = Math.min(e.low, e.value) < 0 ? -edge : 0;
  return interval(e, { low, high: edge, reference: 0, tone: "effect" });
}

function findingCard(f, i) {
  const e = f.effect;
  const links = [
    ...f.features.map((j) => featureLink(j, `Feature ${j}`, { class: "chip" })),
    ...f.classes.map((k) => classLink(k, className(k), { class: "chip" })),
  ];
  return h("li", { class: `finding ${f.confirmed ? "confirmed" : "open"}`, id: `finding-${i + 1}` },
    h("p", { class: "finding-top" },
      h("span", { class: "rank" }, i + 1),
      h("span", { class: "state" }, h("span", { "aria-hidden": "true" }, f.confirmed ? "◆ " : "◇ "),
        f.confirmed ? "Confirmed on test" : "Not confirmed"),
      h("span", { class: "kind" }, KINDS[f.kind] ?? clean(f.kind))),
    h("h3", { dir: "auto" }, capital(short(clean(f.title), 300))),
    h("div", { class: "effect-row" },
      h("b", { class: "effect-value" }, effectText(e, e.value)),
      h("span", { class: "effect-what" }, said(e.what),
        h("small", null, `95% interval ${effectRange(e)} · n = ${count(e.n)} · p = ${tiny(f.p_value)}`)),
      effectMark(e)),
    h("p", { class: "why" }, h("b", null, "Why "), prose(f.evidence)),
    h("p", { class: "why" }, h("b", null, "Mend "), prose(f.mend)),
    links.length > 0 && h("p", { class: "chips" }, links),
    f.examples.length > 0 && findingExamples(f));
}

function findingExamples(f) {
  const inside = h("div");
  const draw = () => inside.childElementCount || fill(inside, tiles(f.examples.map((key) => [key, null]), 12));
  return h("details", { on: { toggle: draw } },
    h("summary", null, `${plural(Math.min(12, f.examples.length), "example")} that show it`), inside);
}
