// Accuracy against features a class, over the whole regularization path.

const CURVES = [
  ["train", "Train"],
  ["validation", "Validation"],
  ["test", "Test"],
];

function pathChart() {
  const list = DATA.path.points;
  const drawing = h("div", { class: "chart-drawing" });
  const tip = h("div", { class: "tip", hidden: true });
  const frame = h("div", { class: "chart", role: "slider", tabindex: "0",
    "aria-label": "Points of the regularization path", "aria-valuemin": "0",
    "aria-valuemax": String(list.length - 1), "aria-orientation": "horizontal" }, drawing, tip);
  if (!list.length) return h("p", { class: "muted" }, "The path holds no point.");
  let at = DATA.path.selected;
  let geometry = null;
  let width = 0;
  let height = 0;

  const redraw = () => {
    const [wide, tall] = [Math.round(drawing.clientWidth), Math.round(drawing.clientHeight)];
    if (!wide || (Math.abs(wide - width) < 2 && Math.abs(tall - height) < 2)) return;
    [width, height] = [wide, tall];
    geometry = drawPath(list, width, height);
    fill(drawing, geometry.svg);
  };
  const show = (i, open) => {
    at = Math.min(list.length - 1, Math.max(0, i));
    frame.setAttribute("aria-valuenow", String(at));
    frame.setAttribute("aria-valuetext", pointInWords(list[at], at));
    if (!geometry) return;
    geometry.point(at, open);
    tip.hidden = !open;
    if (!open) return;
    fill(tip, pointFacts(list[at], at));
    const x = geometry.x(list[at]);
    tip.style.setProperty("left", `${Math.min(Math.max(x, 118), width - 118)}px`);
  };
  const nearest = (event) => {
    const x = event.clientX - drawing.getBoundingClientRect().left;
    let best = 0;
    list.forEach((point, i) => {
      if (Math.abs(geometry.x(point) - x) < Math.abs(geometry.x(list[best]) - x)) best = i;
    });
    return best;
  };
  const step = (event) => {
    const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    const goal = event.key === "Home" ? 0 : event.key === "End" ? list.length - 1
      : event.key in moves ? at + moves[event.key] : null;
    if (event.key === "Escape") show(DATA.path.selected, false);
    if (goal === null) return;
    event.preventDefault();
    show(goal, true);
  };
  build(frame, { on: {
    pointermove: (event) => geometry && show(nearest(event), true),
    pointerleave: () => show(DATA.path.selected, false),
    focus: () => frame.matches(":focus-visible") && show(at, true),
    blur: () => show(DATA.path.selected, false),
    keydown: step,
  } }, []);
  new ResizeObserver(() => requestAnimationFrame(redraw)).observe(drawing);
  requestAnimationFrame(() => { redraw(); show(at, false); });
  return frame;
}

const pointInWords = (point, i) =>
  `Point ${i + 1} of ${DATA.path.points.length}: ${amount(point.features_per_class)} features a class, ` +
  CURVES.filter(([name]) => point.accuracy[name]).map(([name]) => `${name} ${percent(point.accuracy[name].value)}`).join(", ") +
  `, duality gap ${tiny(point.gap)}, ${point.status}`;

function pointFacts(point, i) {
  return [
    h("p", { class: "tip-title" }, h("b", null, amount(point.features_per_class)), " features a class",
      i === DATA.path.selected && h("em", null, "chosen")),
    h("table", null, h("tbody", null,
      [...CURVES].reverse().filter(([name]) => point.accuracy[name]).map(([name, words]) =>
        h("tr", { class: `curve-${name}` }, h("th", null, h("i", { class: "key" }), words),
          h("td", null, percent(point.accuracy[name].value)), h("td", { class: "muted" }, range(point.accuracy[name])))))),
    h("p", { class: "tip-proof" }, h("span", { class: point.status === "optimal" ? "good" : "bad" },
      point.status === "optimal" ? "✓ optimal" : `✗ ${clean(point.status)}`),
      h("span", null, `gap ${tiny(point.gap)}`), h("span", null, `λ ${strength(point.lam)}`)),
  ];
}

function drawPath(list, width, height) {
  const box = { left: 40, right: width - 10, top: 16, bottom: height - 42 };
  let x = featureScale(list, box);
  // The names of the curves stand behind their last points.
  if (x(list[list.length - 1].features_per_class) > width - 80) {
    box.right = width - 80;
    x = featureScale(list, box);
  }
  const shares = list.flatMap((q) => CURVES.flatMap(([name]) => q.accuracy[name]?.value ?? []))
    .concat(denseAccuracy?.value ?? [], networkAccuracy?.value ?? []).filter(known);
  const low = Math.max(0, Math.floor(Math.min(...shares) * 20 - 0.3) / 20);
  const high = Math.min(1, Math.ceil(Math.max(...shares) * 20 + 0.3) / 20);
  const y = (value) => box.bottom - ((value - low) / (high - low || 1)) * (box.bottom - box.top);
  const cursor = s("g", { class: "cursor" });
  const svg = s(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    yAxis(low, high, y, box),
    xAxis(x, box),
    references(x, y, box),
    band(list, x, y, box),
    CURVES.map(([name]) => s("path", { class: `curve curve-${name}`, d: lineOf(list, name, x, y) })),
    curveNames(list, x, y, box),
    list.map((q) => q.status !== "optimal" && q.accuracy[JUDGE] &&
      s("text", { class: "not-optimal", x: x(q.features_per_class), y: y(q.accuracy[JUDGE].value) + 4 }, "✗")),
    chosenMark(x, y, box, width),
    cursor,
  );
  const point = (i, open) => {
    const q = list[i];
    const at = x(q.features_per_class);
    fill(cursor, open && [
      s("path", { class: "hair", d: `M${at} ${box.top}V${box.bottom}` }),
      CURVES.map(([name]) => q.accuracy[name] &&
        s("circle", { class: `curve-${name}`, cx: at, cy: y(q.accuracy[name].value), r: 3.5 })),
    ]);
  };
  return { svg, x: (q) => x(q.features_per_class), point };
}

// Logarithmic, with a place of its own for the empty layer at the left.
function featureScale(list, box) {
  const used = list.map((q) => q.features_per_class).concat(dense?.features_per_class ?? []).filter((v) => v > 0);
  const low = Math.log10(used.length ? Math.max(Math.min(...used), Math.max(...used) / 1e5) : 1);
  const high = Math.max(Math.log10(used.length ? Math.max(...used) : 1), low + 0.3);
  const hasZero = list.some((q) => !(q.features_per_class > 0));
  const start = box.left + (hasZero ? 26 : 6);
  const scale = (v) => v > 0
    ? start + ((Math.max(low, Math.log10(v)) - low) / (high - low)) * (box.right - start)
    : box.left + 4;
  return Object.assign(scale, { low, high, hasZero });
}

function yAxis(low, high, y, box) {
  const span = high - low;
  const step = span > 0.5 ? 0.1 : span > 0.22 ? 0.05 : 0.02;
  const ticks = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9; v += step) ticks.push(v);
  return s("g", { class: "axis" }, ticks.map((v) => [
    s("path", { class: "grid", d: `M${box.left} ${y(v)}H${box.right}` }),
    s("text", { x: box.left - 7, y: y(v) + 4, "text-anchor": "end" }, `${Math.round(100 * v)}%`),
  ]));
}

function xAxis(x, box) {
  const decades = x.high - x.low;
  const steps = decades > 2.4 ? (decades > 4 ? [1] : [1, 3]) : [1, 2, 5];
  const ticks = [];
  for (let e = Math.floor(x.low); e <= x.high; e++)
    for (const m of steps) {
      const v = m * 10 ** e;
      if (Math.log10(v) >= x.low - 1e-9 && Math.log10(v) <= x.high + 1e-9) ticks.push(v);
    }
  const apart = (box.right - box.left) / Math.max(1, ticks.length) > 24;
  return s("g", { class: "axis" },
    s("path", { class: "axis-line", d: `M${box.left} ${box.bottom}H${box.right}` }),
    x.hasZero && s("text", { x: x(0), y: box.bottom + 17, "text-anchor": "middle" }, "0"),
    ticks.filter((v) => x(v) - x(0) > 14 || !x.hasZero).map((v, i) => [
      s("path", { class: "axis-line", d: `M${x(v)} ${box.bottom}v4` }),
      (apart || i % 2 === 0) && s("text", { x: x(v), y: box.bottom + 17, "text-anchor": "middle" },
        v >= 1 ? count(v) : String(Number(v.toPrecision(1)))),
    ]),
    s("text", { class: "axis-title", x: (box.left + box.right) / 2, y: box.bottom + 36, "text-anchor": "middle" },
      "Features a class (log scale)"));
}

// Where the dense layer and the network itself stand.
function references(x, y, box) {
  const rows = [
    denseAccuracy && ["dense", denseAccuracy.value, `Dense ${percent(denseAccuracy.value)}`],
    networkAccuracy && ["network", networkAccuracy.value, `Network ${percent(networkAccuracy.value)}`],
  ].filter(Boolean).sort((a, b) => b[1] - a[1]);
  return rows.map(([name, value, words], i) => {
    const close = rows.length > 1 && Math.abs(y(rows[0][1]) - y(rows[1][1])) < 18;
    const below = (close && i === 1) || y(value) - box.top < 12;
    return s("g", { class: `refline ref-${name}` },
      s("path", { d: `M${box.left} ${y(value)}H${box.right}` }),
      name === "dense" && s("rect", { class: "dense-end", x: x(dense.features_per_class) - 4, y: y(value) - 4, width: 8, height: 8 }),
      s("text", { x: box.left + 6, y: y(value) + (below ? 14 : -6) }, words));
  });
}

function lineOf(list, name, x, y) {
  return list.filter((q) => known(q.accuracy[name]?.value))
    .map((q, i) => `${i ? "L" : "M"}${x(q.features_per_class).toFixed(1)} ${y(q.accuracy[name].value).toFixed(1)}`).join("");
}

function band(list, x, y, box) {
  const seen = list.filter((q) => known(q.accuracy[JUDGE]?.low));
  const inside = (value) => Math.min(box.bottom, Math.max(box.top, y(value)));
  const edge = (q, side) => `${x(q.features_per_class).toFixed(1)} ${inside(q.accuracy[JUDGE][side]).toFixed(1)}`;
  if (seen.length < 2) return null;
  return s("path", { class: "band", d:
    `M${seen.map((q) => edge(q, "high")).join("L")}L${[...seen].reverse().map((q) => edge(q, "low")).join("L")}Z` });
}

// Each curve is named at its end; names that would touch are pushed apart.
function curveNames(list, x, y, box) {
  const last = list[list.length - 1];
  const names = CURVES.filter(([name]) => last.accuracy[name])
    .map(([name, words]) => ({ name, words, y: y(last.accuracy[name].value) }))
    .sort((a, b) => a.y - b.y);
  for (let i = 1; i < names.length; i++) names[i].y = Math.max(names[i].y, names[i - 1].y + 15);
  const over = names.length ? names[names.length - 1].y - (box.bottom - 4) : 0;
  if (over > 0) for (const row of names) row.y -= over;
  return names.map((row) => s("text", { class: `curve-name curve-${row.name}`, x: x(last.features_per_class) + 10, y: row.y + 4 }, row.words));
}

function chosenMark(x, y, box, width) {
  const e = chosen?.accuracy?.[JUDGE];
  if (!e) return null;
  const at = x(chosen.features_per_class);
  // Below the curves at the right there is room, unless the page is narrow.
  const wide = 200;
  const right = at + 8 + wide <= width;
  const left = !right && at - 8 - wide >= box.left;
  const start = right ? at + 8 : left ? at - 8 : Math.max(box.left + 4, width - wide);
  return s("g", { class: "chosen" },
    s("path", { d: `M${at} ${y(e.value) + 7}V${box.bottom}` }),
    s("circle", { cx: at, cy: y(e.value), r: 6 }),
    s("text", { x: start, y: box.bottom - 24, "text-anchor": left ? "end" : "start" },
      s("tspan", { class: "chosen-main" }, `Chosen: ${amount(chosen.features_per_class)} features a class`),
      s("tspan", { x: start, dy: 15 }, `${JUDGE} ${withRange(e)}`)));
}
