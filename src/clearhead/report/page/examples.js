// One example as a tile, and enlarged in a dialog.

const LONG = 400;

function tile(key, activation, size = "", highlight = null) {
  const e = exampleOf.get(key);
  if (!e) return h("span", { class: "tile gone muted" }, "example not kept");
  const wrong = e.label !== e.predicted;
  const note = known(activation) ? deviations(activation) : null;
  const facts = `${short(clean(e.id), 200)}: ${className(e.label)}${wrong ? `, predicted ${className(e.predicted)}` : ""}`;
  const open = { click: () => enlarge(e, activation, highlight) };
  if (safeImage(e.image)) {
    const marked = safeImage(highlight?.image);
    return h(
      "button",
      { type: "button", class: `tile picture ${size} ${wrong ? "wrong" : ""}`, title: facts, on: open },
      h("img", { src: marked ? highlight.image : e.image, alt: facts, loading: "lazy", decoding: "async" }),
      note && h("span", { class: "tile-note" }, note),
      wrong && h("span", { class: "tile-wrong", "aria-hidden": "true" }, "✗"),
    );
  }
  const text = e.text === null || e.text === undefined ? null : clean(e.text);
  return h(
    "button",
    { type: "button", class: `tile words ${wrong ? "wrong" : ""}`, on: open },
    h("span", { class: "tile-text", dir: "auto" },
      text === null ? said(e.id) : text === "" ? h("em", null, "(empty text)") :
        highlight?.spans?.length ? markedText(e.text, highlight.spans) : short(text, LONG)),
    h("span", { class: "tile-facts" }, note && h("b", null, note),
      h("span", null, h("bdi", null, className(e.label)),
        wrong && [" → ✗ ", h("bdi", null, className(e.predicted))])),
  );
}

const safeImage = (uri) => typeof uri === "string" && /^data:image\/jpeg;base64,[A-Za-z0-9+/]+={0,2}$/.test(uri);

function tiles(pairs, limit, size, marked) {
  if (!pairs.length) return h("p", { class: "muted" }, "None were kept.");
  const picture = pairs.some(([key]) => safeImage(exampleOf.get(key)?.image));
  return h("div", { class: picture ? "tiles pictures" : "tiles" },
    pairs.slice(0, limit).map(([key, activation]) => tile(key, activation, size, marked?.get(key) ?? null)));
}

let dialog = null;

function enlarge(e, activation, highlight) {
  const wrong = e.label !== e.predicted;
  dialog ??= document.body.appendChild(h("dialog", {
    class: "example", "aria-label": "Example",
    on: { click: (event) => event.target === dialog && dialog.close() },
  }));
  const text = e.text === null || e.text === undefined ? null : clean(e.text);
  const body = text === null ? null : h("blockquote", { dir: "auto" },
    highlight?.spans?.length && e.text.length <= LONG ? markedText(e.text, highlight.spans) : text.slice(0, 4000));
  fill(
    dialog,
    h("form", { method: "dialog" }, h("button", { class: "button quiet", "aria-label": "Close" }, "✕")),
    safeImage(e.image) && h("img", { src: e.image, alt: `Example ${short(clean(e.id), 200)}` }),
    safeImage(highlight?.image) && h("figure", null, h("img", { src: highlight.image, alt: "What drives the feature; the rest is dimmed" }),
      h("figcaption", { class: "muted" }, "What drives the feature, by LIME", known(highlight.r2) && `; R² ${highlight.r2.toFixed(2)}`)),
    body,
    text !== null && text.length > 4000 &&
      h("button", { type: "button", class: "button", on: { click: (event) => { fill(body, text); event.target.remove(); } } },
        `Show all ${count(text.length)} characters`),
    text === null && !safeImage(e.image) && h("p", { class: "muted" }, "The report was made without examples; the id finds it in the data."),
    h("dl", { class: "facts" },
      h("dt", null, "Id"), h("dd", null, said(e.id)),
      h("dt", null, "Split"), h("dd", null, e.split),
      h("dt", null, "Class"), h("dd", null, said(className(e.label))),
      h("dt", null, "Predicted"),
      h("dd", { class: wrong ? "bad" : "" }, wrong ? "✗ " : "✓ ", said(className(e.predicted))),
      known(activation) && [h("dt", null, "Activation"), h("dd", null, deviations(activation))]),
  );
  dialog.showModal();
}
