// Every node of the page is made here. Data enter as text nodes and attributes
// only, so no label or sentence can become markup.

const SVG = "http://www.w3.org/2000/svg";

function build(node, props, children) {
  for (const [key, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") {
      for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    } else if (key === "style") {
      // Through the object model: the security policy forbids style attributes.
      for (const [name, set] of Object.entries(value)) node.style.setProperty(name, String(set));
    } else node.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

const h = (tag, props, ...children) => build(document.createElement(tag), props, children);
const s = (tag, props, ...children) => build(document.createElementNS(SVG, tag), props, children);

function fill(node, ...children) {
  node.replaceChildren();
  return build(node, null, children);
}

// Text that came from data: isolated, so that right-to-left text or an
// override character cannot reorder what stands beside it.
const said = (text, props) => h("bdi", props, short(clean(text), 500));
const short = (text, most) => (text.length > most ? `${text.slice(0, most).toWellFormed?.() ?? text.slice(0, most)}…` : text);

// A sentence of the report, in which `backticks` mark what is typed.
const prose = (text) => short(clean(text), 2000).split("`").map((part, i) => (i % 2 ? h("code", null, part) : said(part)));

function clean(text) {
  const kept = String(text ?? "").replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "\ufffd");
  return kept.toWellFormed ? kept.toWellFormed() : kept;
}

// Calls draw(node) once, shortly before the node can be seen.
const waiting = new Map();
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) if (entry.isIntersecting) drawNow(entry.target);
  },
  { rootMargin: "600px" },
);

function drawLater(node, draw) {
  waiting.set(node, draw);
  watcher.observe(node);
  return node;
}

function drawNow(node) {
  const draw = waiting.get(node);
  if (!draw) return;
  waiting.delete(node);
  watcher.unobserve(node);
  draw(node);
}

function drawWaiting() {
  for (const node of [...waiting.keys()]) if (node.isConnected) drawNow(node);
}

let serial = 0;
const fresh = (stem) => `${stem}-${++serial}`;

// One of several choices, as a row of radio buttons.
function choice(label, options, value, act) {
  const name = fresh("choice");
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", { class: "hidden" }, label),
    options.map(([key, words]) => {
      const input = h("input", {
        type: "radio", name, value: key, checked: key === value, on: { change: () => act(key) },
      });
      return h("label", null, input, h("span", null, words));
    }),
  );
}

// A list that shows its first `step` items and, on request, more.
function moreButton(shown, total, step, act) {
  if (shown >= total) return null;
  const next = Math.min(step, total - shown);
  return h(
    "p",
    { class: "more" },
    h("button", { type: "button", class: "button", on: { click: () => act(shown + next) } },
      `Show ${next} more`),
    total - shown > next &&
      h("button", { type: "button", class: "button quiet", on: { click: () => act(total) } },
        `Show all ${count(total)}`),
    h("span", { class: "muted" }, `${count(shown)} of ${count(total)}`),
  );
}
