// The page as a whole: navigation, theme, and links to one class or feature.

const SECTIONS = [
  ["overview", "Overview"],
  ["classes", "Classes"],
  ["features", "Features"],
  ["layer", "Layer"],
  ["errors", "Errors"],
  ["about", "About"],
];
const THEME = "clearhead-theme";

// A file:// page or a sandboxed frame may have no storage at all.
function remembered() {
  try { return localStorage.getItem(THEME); } catch { return null; }
}
function remember(theme) {
  try { localStorage.setItem(THEME, theme); } catch { /* the choice lasts as long as the page */ }
}

function themeButton() {
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const saved = remembered();
  if (saved === "dark" || saved === "light") root.dataset.theme = saved;
  const words = () => (dark() ? "Use light colours" : "Use dark colours");
  const button = h("button", { type: "button", class: "theme", on: { click: () => {
    root.dataset.theme = dark() ? "light" : "dark";
    remember(root.dataset.theme);
    label();
  } } }, h("span", { class: "half", "aria-hidden": "true" }));
  const label = () => { button.setAttribute("aria-label", words()); button.title = words(); };
  label();
  return button;
}

function topBar() {
  return h("div", { class: "bar" }, h("div", { class: "bar-inside" },
    h("a", { class: "brand", href: "#overview" }, h("span", { class: "logo", "aria-hidden": "true" }, h("i"), h("i"), h("i"), h("i"), h("i")), "clearhead"),
    h("span", { class: "run-name" }, said(DATA.name)),
    h("nav", { "aria-label": "Parts of the report" }, SECTIONS.map(([id, words]) => h("a", { href: `#${id}` }, words))),
    themeButton()));
}

// Opens what a fragment names, however deep it is folded away.
function go() {
  const goal = decodeURIComponent(location.hash.slice(1));
  const [, kind, index] = /^(feature|class|finding)-(\d+)$/.exec(goal) ?? [];
  if (kind === "feature") revealFeature(Number(index));
  if (kind === "class") revealClass(Number(index));
  if (kind === "finding") revealFinding(Number(index) - 1);
  const target = goal && document.getElementById(goal);
  if (!target) return;
  if (target instanceof HTMLDetailsElement) target.open = true;
  document.querySelector(".is-target")?.classList.remove("is-target");
  if (kind) target.classList.add("is-target");
  const behave = { block: "start", behavior: "instant" };
  target.scrollIntoView(behave);
  // What lies above may grow as it is drawn: look again once it has been.
  requestAnimationFrame(() => requestAnimationFrame(() => target.scrollIntoView(behave)));
}

function followScroll(nav) {
  const links = new Map(SECTIONS.map(([id], i) => [id, nav.children[i]]));
  const mark = () => {
    let current = SECTIONS[0][0];
    for (const [id] of SECTIONS)
      if ((document.getElementById(id)?.getBoundingClientRect().top ?? Infinity) < 120) current = id;
    if (scrollY + innerHeight >= document.documentElement.scrollHeight - 4) current = SECTIONS[SECTIONS.length - 1][0];
    if (scrollY < 40) current = SECTIONS[0][0];
    for (const [id, link] of links) {
      if (id === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  let due = false;
  addEventListener("scroll", () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; mark(); });
  }, { passive: true });
  mark();
}

function start() {
  const page = document.getElementById("page");
  fill(page,
    h("a", { class: "skip", href: "#findings" }, "To the findings"),
    topBar(),
    h("main", null,
      heroSection(),
      h("div", { class: "first-sight" }, pathPanel(), findingsPanel(), moreFindings(), testedPanel()),
      classesSection(), featuresSection(), layersSection(), mistakesSection(), aboutSection()));
  followScroll(page.querySelector("nav"));
  addEventListener("hashchange", go);
  // A second click on the same link changes no fragment, yet should lead there again.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) { event.preventDefault(); go(); }
  });
  addEventListener("beforeprint", () => {
    drawWaiting();
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
  if (location.hash) go();
  document.documentElement.dataset.drawn = "yes";
}

start();
