// The small marks that numbers are drawn with.

// An estimate with its interval on a common scale, and a reference to compare with.
function interval(e, { low = 0, high = 1, reference = null, tone = "" } = {}) {
  const at = (value) => `${Math.min(100, Math.max(0, (100 * (value - low)) / (high - low || 1)))}%`;
  if (!e || !known(e.value)) return h("span", { class: "interval empty", "aria-hidden": "true" });
  const wide = Math.max(0, Math.min(high, e.high) - Math.max(low, e.low)) / (high - low || 1);
  return h(
    "span",
    { class: `interval ${tone}`, "aria-hidden": "true", title: `95% interval ${range(e)}%, n = ${count(e.n)}` },
    known(reference) && h("i", { class: "reference", style: { left: at(reference) } }),
    h("i", { class: "span", style: { left: at(e.low), width: `${100 * wide}%` } }),
    h("i", { class: "dot", style: { left: at(e.value) } }),
  );
}

// A number, its interval in small print, and the mark below.
function measured(e, scale) {
  if (!e || !known(e.value)) return h("span", { class: "muted", title: "no examples" }, DASH);
  return h(
    "span",
    { class: "measured" },
    h("b", null, percent(e.value)),
    h("small", { title: `95% interval, n = ${count(e.n)}` }, range(e)),
    interval(e, scale),
  );
}

// A scale wide enough for all the estimates, on round numbers.
function scaleOf(estimates, reference = null) {
  const all = estimates.filter(Boolean).flatMap((e) => [e.low, e.high]).concat(reference ?? []);
  const numbers = all.filter(known);
  if (!numbers.length) return { low: 0, high: 1 };
  const low = Math.floor(Math.min(...numbers) * 20 - 0.2) / 20;
  const high = Math.ceil(Math.max(...numbers) * 20 + 0.2) / 20;
  return { low: Math.max(0, low), high: Math.min(1, high) };
}

// Deep features side by side, one tick each. `ticks` are {at, size in -1..1, tone}.
function strip(p, ticks, { height = 28, both = false, label }) {
  const W = 1000;
  const step = W / Math.max(1, p);
  const width = Math.max(both ? 7 : 1.2, Math.min(step * 0.6, 5));
  const middle = both ? height / 2 : height;
  const paths = {};
  for (const { at, size, tone } of ticks) {
    const x = ((at + 0.5) * step).toFixed(2);
    const end = (middle - size * (both ? height / 2 : height)).toFixed(1);
    (paths[tone] ??= []).push(`M${x} ${middle}V${end}`);
  }
  return s(
    "svg",
    { class: "strip", viewBox: `0 0 ${W} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    s("path", { class: "strip-axis", d: `M0 ${both ? middle : height - 0.5}H${W}` }),
    Object.entries(paths).map(([tone, d]) =>
      s("path", { class: `strip-${tone}`, d: d.join(""), "stroke-width": width.toFixed(2) })),
  );
}

// ▲ adds to the class's score, ▼ takes from it.
function sign(value) {
  const up = value >= 0;
  return h(
    "span",
    { class: `sign ${up ? "up" : "down"}` },
    h("span", { "aria-hidden": "true" }, up ? "▲" : "▼"),
    h("span", { class: "hidden" }, up ? "adds" : "takes"),
  );
}

// Bars to the left (takes) and right (adds) of a common zero.
function signedBar(value, largest) {
  const share = Math.min(1, Math.abs(value) / (largest || 1));
  return h(
    "span",
    { class: "signed", "aria-hidden": "true" },
    h("i", { class: value >= 0 ? "up" : "down", style: { width: `${50 * share}%` } }),
  );
}

// Most activations of a rectified feature are one number: then heights go by the
// square root of the counts, and say so, or nothing else could be seen.
const isSteep = (bands) => Math.max(...bands.map((b) => b.count)) > 0.4 * bands.reduce((sum, b) => sum + b.count, 0);

function histogram(bands, label) {
  if (!bands.length) return h("p", { class: "muted" }, "No histogram was kept.");
  const drawing = bars(bands, label, isSteep(bands) ? Math.sqrt : (count_) => count_);
  return isSteep(bands) ? [drawing, h("p", { class: "muted scale-note" }, "heights: square root of the counts")] : drawing;
}

function bars(bands, label, grow) {
  const W = 240;
  const H = 74;
  const low = bands[0].low;
  const high = bands[bands.length - 1].high;
  const top = Math.max(1, ...bands.map((b) => b.count));
  const x = (value) => ((value - low) / (high - low || 1)) * W;
  const marks = [];
  for (let tick = Math.ceil(low); tick <= high; tick += Math.max(1, Math.ceil((high - low) / 8))) marks.push(tick);
  return s(
    "svg",
    { class: "histogram", viewBox: `0 0 ${W} ${H + 16}`, role: "img", "aria-label": label },
    low < 0 && high > 0 && s("path", { class: "zero", d: `M${x(0)} 0V${H}` }),
    bands.map((b) => {
      const tall = b.count ? Math.max(1, (grow(b.count) / grow(top)) * H) : 0;
      return s(
        "rect",
        { x: (x(b.low) + 0.5).toFixed(1), width: Math.max(0.5, x(b.high) - x(b.low) - 1).toFixed(1),
          y: (H - tall).toFixed(1), height: tall.toFixed(1) },
        s("title", null, `${signed(b.low.toFixed(1))} to ${signed(b.high.toFixed(1))} σ: ${plural(b.count, "example")}`),
      );
    }),
    s("path", { class: "axis", d: `M0 ${H + 0.5}H${W}` }),
    marks.map((tick) => s("text", { x: x(tick).toFixed(1), y: H + 13, "text-anchor": "middle" }, signed(String(tick)))),
  );
}
