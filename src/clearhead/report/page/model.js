// The data of the page, and how one part is found from another.

const DATA = JSON.parse(document.getElementById("clearhead-data").textContent);

const classOf = new Map(DATA.classes.map((row) => [row.index, row]));
const featureOf = new Map(DATA.features.map((row) => [row.index, row]));
const exampleOf = new Map(DATA.examples.map((row) => [row.key, row]));
const layerOf = new Map(DATA.layers.map((row) => [row.name, row]));

const K = DATA.data.class_names.length;
const P = DATA.model.n_features;
const className = (k) => short(clean(classOf.get(k)?.name ?? DATA.data.class_names[k] ?? `class ${k}`), 200) || "(no name)";
const featureName = (j) => {
  const name = featureOf.get(j)?.name;
  return name ? `Feature ${j}: ${short(clean(name), 200)}` : `Feature ${j}`;
};

const chosen = DATA.path.points[DATA.path.selected];
const sparse = layerOf.get("sparse");
const dense = layerOf.get("dense");
const network = layerOf.get("network");
// The split that headlines speak of: test, or the next best thing.
const JUDGE = ["test", "validation", "train"].find((name) => chosen?.accuracy?.[name]) ?? "test";
const sparseAccuracy = sparse?.accuracy?.[JUDGE] ?? chosen?.accuracy?.[JUDGE];
const denseAccuracy = dense?.accuracy?.[JUDGE];
const networkAccuracy = network?.accuracy?.[JUDGE];
const sparseFeatures = sparse?.features_per_class ?? chosen?.features_per_class;

// With two classes the layer keeps one set of weights and its mirror image.
const MIRRORED = (() => {
  if (K !== 2 || DATA.classes.length !== 2) return false;
  const [a, b] = DATA.classes.map((row) => new Map(row.features.map((f) => [f.feature, f.weight])));
  if (a.size !== b.size || !a.size) return false;
  return [...a].every(([j, w]) => b.has(j) && Math.abs(b.get(j) + w) <= 1e-6 * (1 + Math.abs(w)));
})();

// Links inside the page. A feature or class that the report does not hold stays text.
function featureLink(j, words = featureName(j), props = {}) {
  return featureOf.has(j) ? h("a", { href: `#feature-${j}`, ...props }, h("bdi", null, words)) : h("bdi", props, words);
}
function classLink(k, words = className(k), props = {}) {
  return classOf.has(k) ? h("a", { href: `#class-${k}`, ...props }, h("bdi", null, words)) : h("bdi", props, words);
}
