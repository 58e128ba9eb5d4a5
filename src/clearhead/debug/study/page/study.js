"use strict";
(() => {
// Everything shown is made here from text nodes and attributes, so no text can become markup.
const study = JSON.parse(document.getElementById("study-data").textContent);
const questions = study.questions;
const SLOT = `clearhead-study-${study.study}`;
const LETTERS = "ABCDEFGH";
const SURE = ["guessed", "unsure", "so-so", "fairly sure", "certain"];
const page = document.getElementById("page");

function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [name, act] of Object.entries(value)) node.addEventListener(name, act);
    else if (key === "part") node.style.setProperty("--part", String(value));
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const said = (text) => h("bdi", { dir: "auto" }, String(text));

// --- what is kept: in this browser until it is downloaded --------------------------------

const fresh = () => ({
  clearhead_study: study.version, study: study.study, person: "", browser: token(),
  started: new Date().toISOString(), saved: null, answers: {}, comment: "",
});
let keeps = true;
let at = -1;
let state = recall();

function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(SLOT));
    if (kept && kept.study === study.study && typeof kept.answers === "object") return kept;
  } catch { keeps = false; }
  return fresh();
}

function keep() {
  state.saved = new Date().toISOString();
  try { localStorage.setItem(SLOT, JSON.stringify(state)); } catch { keeps = false; }
  const note = document.getElementById("saved");
  if (note) note.textContent = keeps ? "saved in this browser" : "not saved: download at the end";
}

const answer = (id) => (state.answers[id] ||= { choice: null, confidence: null, comment: "" });
const isAnswered = (id) => Number.isInteger(state.answers[id]?.choice);
const nAnswered = () => questions.filter((one) => isAnswered(one.id)).length;

function download() {
  keep();
  const stem = (state.person || state.browser).replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40);
  const blob = new Blob([JSON.stringify(state, null, 1)], { type: "application/json" });
  const link = h("a", { href: URL.createObjectURL(blob), download: `answers-${study.study}-${stem}.json` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// --- parts ------------------------------------------------------------------------------

function picture(place, words) {
  return h("img", { src: study.images[place], alt: words, loading: "lazy" });
}

function items(found, name) {
  if (found.words) return h("ul", { class: "chips" }, found.words.map((word) => h("li", null, said(word))));
  if ("text" in found.items[0]) return h("ul", { class: "quotes" }, found.items.map((one) => h("li", null, said(one.text))));
  return h("div", { class: found.items.length === 1 ? "tiles one" : "tiles" },
    found.items.map((one, i) => picture(one.image, `${name}, picture ${i + 1}`)));
}

const wordy = (panel) => Boolean(panel.words) || "text" in panel.items[0];

function pattern(panel, i) {
  const name = `Pattern ${LETTERS[i]}`;
  const words = `${Math.round(100 * panel.strength)}% as strong as the strongest`;
  return h("section", { class: "pattern", "aria-label": name },
    h("div", null, h("h3", null, name),
      h("span", { class: "strength", title: words, role: "img", "aria-label": words }, "weight ", h("i", { part: panel.strength }))),
    items(panel, name));
}

function example(found, name) {
  return "text" in found ? h("p", null, said(found.text)) : picture(found.image, name);
}

function choices(question, legend, options) {
  const given = answer(question.id);
  return h("fieldset", null, h("legend", null, h("h2", null, legend)),
    h("div", { class: "choices" }, options.map(([name, content], i) =>
      h("label", { class: "choice" },
        h("input", {
          type: "radio", name: "choice", value: i, checked: given.choice === i, "aria-label": name,
          on: { change: () => { given.choice = i; keep(); progress(); } },
        }),
        h("span", { "aria-hidden": true }, name), content))));
}

function simulatability(question) {
  return [
    h("section", { class: "stack" },
      h("h2", null, "The model looks for one thing, and these patterns speak for it"),
      h("p", { class: "hint" }, question.panels.some(wordy)
        ? "Each box holds what raises one of its patterns most. A longer bar counts more."
        : "The pictures in a box are those that show one of its patterns most. A longer bar counts more."),
      h("div", { class: question.panels.some(wordy) ? "panels words" : "panels" }, question.panels.map(pattern))),
    choices(question, "Which of these does the model find it in most?",
      question.examples.map((one, i) => [`Example ${i + 1}`, example(one, `Example ${i + 1}`)])),
  ];
}

function problematic(question) {
  return [
    h("section", { class: "stack" },
      h("h2", null, "Look at this example"),
      h("div", { class: "subject" }, example(question.examples[0], "The example"))),
    choices(question, "Which pattern is more present in it?",
      question.panels.map((panel, i) => [`Pattern ${LETTERS[i]}`, items(panel, `Pattern ${LETTERS[i]}`)])),
  ];
}

function confidence(question) {
  const given = answer(question.id);
  return h("fieldset", null, h("legend", null, "How sure are you?"),
    h("div", { class: "scale" }, SURE.map((words, i) =>
      h("label", null,
        h("input", { type: "radio", name: "confidence", value: i + 1, checked: given.confidence === i + 1,
          on: { change: () => { given.confidence = i + 1; keep(); } } }),
        h("span", null, words)))));
}

function field(label, value, act, long) {
  const input = h(long ? "textarea" : "input", {
    type: long ? null : "text", maxlength: long ? 2000 : 80, autocomplete: "off",
    on: { input: (event) => { act(event.target.value); keep(); } },
  });
  input.value = value;
  return h("label", { class: "field" }, label, input);
}

// --- screens ----------------------------------------------------------------------------

function progress() {
  const n = nAnswered();
  const bar = document.querySelector("progress");
  if (bar) bar.value = n;
  const words = document.getElementById("place");
  if (words) words.textContent = at < questions.length ? `Question ${at + 1} of ${questions.length}` : `${n} of ${questions.length} answered`;
}

function show(content, narrow) {
  const main = h("main", { class: narrow && "narrow", tabindex: "-1" }, content);
  const started = at >= 0;
  page.replaceChildren(...[
    started && h("header", null, h("div", { class: "bar" }, h("b", { id: "place" }),
      h("progress", { max: questions.length, "aria-label": "Questions answered" }),
      h("span", { class: "saved", id: "saved", role: "status" }, keeps ? "" : "not saved: download at the end"))),
    main,
  ].filter(Boolean));
  progress();
  scrollTo(0, 0);
  if (started) main.focus({ preventScroll: true });
}

function go(to) {
  at = to;
  if (at < 0) return intro();
  return at >= questions.length ? end() : ask();
}

function intro() {
  const minutes = Math.max(2, Math.round(questions.length * 0.6));
  const going = nAnswered();
  show([
    h("h1", null, "What does the model look for?"),
    h("p", { class: "lead" },
      `A trained model decides by patterns of its own. You will see some of them in ${questions.length} questions, ` +
      `and say what you think it does. There is nothing to know beforehand; it takes about ${minutes} minutes.`),
    h("ol", { class: "steps" },
      h("li", null, "Look at the patterns. What each means is for you to guess: no names are given."),
      h("li", null, "Choose the answer that fits best, even when you are not sure, and say how sure you are."),
      h("li", null, "At the end, download your answers as a file and give it to whoever asked you.")),
    field("Your name or an alias (so that your answers are counted once)", state.person, (text) => { state.person = text; }),
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "main", id: "start", on: { click: () => go(going ? firstOpen() : 0) } },
        going ? `Go on (${going} answered)` : "Start"),
      going > 0 && h("button", { type: "button", class: "link", on: { click: restart } }, "start over")),
    h("p", { class: "hint" }, "Answers stay in this browser until you download them. This page sends nothing anywhere."),
  ], true);
}

function firstOpen() {
  const open = questions.findIndex((one) => !isAnswered(one.id));
  return open < 0 ? questions.length : open;
}

function restart() {
  if (!confirm("Delete the answers kept in this browser?")) return;
  state = fresh();
  keep();
  go(-1);
}

function ask() {
  const question = questions[at];
  const given = answer(question.id);
  show([
    question.kind === "simulatability" ? simulatability(question) : problematic(question),
    confidence(question),
    field("Anything to remark? (optional)", given.comment, (text) => { given.comment = text; }, true),
    h("div", { class: "buttons" },
      h("button", { type: "button", id: "back", on: { click: () => go(at - 1) } }, "Back"),
      h("button", { type: "button", class: "main", id: "next", on: { click: () => go(at + 1) } },
        at + 1 < questions.length ? "Next" : "Finish"),
      h("span", { class: "hint keys" }, h("kbd", null, "1"), " – ",
        h("kbd", null, String(question.kind === "simulatability" ? question.examples.length : question.panels.length)),
        " choose, ", h("kbd", null, "Enter"), " next")),
  ]);
}

function end() {
  const open = questions.map((one, i) => (isAnswered(one.id) ? null : i)).filter((i) => i !== null);
  show([
    h("h1", null, "Thank you"),
    h("p", { class: "lead" }, `You answered ${nAnswered()} of ${questions.length} questions.`),
    open.length > 0 && h("div", { class: "warning" }, "Not answered yet: ",
      open.map((i) => h("button", { type: "button", class: "link", on: { click: () => go(i) } }, String(i + 1)))),
    field("What would you like to say about the questions? (optional)", state.comment || "", (text) => { state.comment = text; }, true),
    !state.person && field("Your name or an alias", "", (text) => { state.person = text; }),
    h("div", { class: "buttons" },
      h("button", { type: "button", id: "back", on: { click: () => go(questions.length - 1) } }, "Back"),
      h("button", { type: "button", class: "main", id: "download", on: { click: download } }, "Download answers")),
    h("p", { class: "hint" }, "Give the downloaded file to whoever asked you. You can come back and download it again."),
  ], true);
}

document.addEventListener("keydown", (event) => {
  if (at < 0 || at >= questions.length || event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = event.target.matches?.("textarea, input[type=text], button");
  if (inField) return;
  if (/^[1-9]$/.test(event.key)) {
    const input = document.querySelectorAll("input[name=choice]")[Number(event.key) - 1];
    if (input) { input.checked = true; input.focus({ preventScroll: true }); input.dispatchEvent(new Event("change")); }
  } else if (event.key === "Enter") {
    event.preventDefault();
    go(at + 1);
  }
});

go(-1);
document.documentElement.setAttribute("data-drawn", "yes");
})();
