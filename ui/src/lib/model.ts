// What a run is, and what any point of its path says of any example. No state: see app.svelte.ts.
import { SvelteMap } from 'svelte/reactivity';
import { columns, floats, lazily, uints } from './packed';
import { PathWeights, type Weight } from './path';
import type { AppData, ExampleCard, FeatureCard, LayerCard } from './schema';
import type { FarExample } from './server';

/** Which weights: those of a point of the path, or the dense layer's. */
export interface View {
  at: number;
  dense: boolean;
}

export interface Part {
  feature: number;
  /** Standardised activation. */
  z: number;
  /** Weight for the class, less that for the class it is compared with. */
  weight: number;
  value: number;
}

export interface Contributions {
  intercept: number;
  parts: Part[];
  /** What all features that this file has no activations of add together (dense layer). */
  rest: number;
  total: number;
}

export interface ClassRecall {
  hits: number;
  n: number;
}

export class Model {
  readonly K: number;
  readonly p: number;
  readonly path: PathWeights;
  /** Cards by feature; a name that is given shows everywhere at once. */
  readonly feature: SvelteMap<number, FeatureCard>;
  readonly example: SvelteMap<string, ExampleCard>;
  /** Row of activations of an example. */
  readonly rowOf: SvelteMap<string, number>;
  /** Whether examples that are not in the data can be asked for. */
  remote = false;
  readonly columns: Uint32Array;
  readonly columnOf: Map<number, number>;
  /** By feature, its column of activations; −1: they did not travel. */
  private readonly place: Int32Array;
  readonly testRows: number[];
  /** Where the selected point is among those that travel. */
  readonly selected: number;
  /** Examples with activations in the data. */
  readonly n: number;
  /** Rows after those of the data: of examples that were asked for. */
  private readonly farRows: Float32Array[] = [];
  private readonly hits: Record<string, Uint32Array> = {};
  private readonly denseBias: Float32Array;
  private readonly denseWeight: Float32Array | null;
  private readonly denseLogits: Float32Array | null;
  private readonly activationsOf = lazily(() => columns(this.data.along.activations));
  private readonly means = lazily(() => {
    const mean = floats(this.data.along.mean);
    return new Map([...uints(this.data.along.mean_at)].map((position, i) => [position, mean[i]]));
  });

  constructor(readonly data: AppData) {
    const { along } = data;
    this.K = data.classes.length;
    this.p = data.model.n_features;
    this.path = new PathWeights(along, this.K, this.p);
    this.feature = new SvelteMap(data.features.map((card) => [card.index, card]));
    this.example = new SvelteMap(data.examples.map((card) => [card.key, card]));
    this.rowOf = new SvelteMap(along.keys.map((key, row) => [key, row]));
    this.columns = uints(along.columns);
    this.columnOf = new Map([...this.columns].map((j, column) => [j, column]));
    this.place = new Int32Array(this.p).fill(-1);
    this.columns.forEach((j, column) => (this.place[j] = column));
    this.n = along.keys.length;
    this.testRows = along.splits.flatMap((split, row) => (split === 'test' ? [row] : []));
    this.selected = Math.max(0, along.points.indexOf(data.path.selected));
    for (const [split, packed] of Object.entries(along.hits)) this.hits[split] = uints(packed);
    this.denseBias = floats(along.dense_intercept);
    this.denseWeight = along.dense_weight && floats(along.dense_weight);
    this.denseLogits = along.dense_logits && floats(along.dense_logits);
  }

  /** Activations of the examples in the data, `[column * n + row]`. */
  get z(): Float32Array {
    return this.activationsOf();
  }

  /** Work out what the first screen did without: a slice at a time, before it is asked for. */
  *prepare(): Generator<void, void, void> {
    for (let at = 0; at < this.path.length; at++) {
      this.path.at(at);
      yield;
    }
    void this.z;
    yield;
    this.means();
  }

  layer(name: LayerCard['name']): LayerCard | undefined {
    return this.data.layers.find((layer) => layer.name === name);
  }

  /** The path point behind `at`. */
  point(at: number) {
    return this.data.path.points[this.data.along.points[at]];
  }

  className(c: number): string {
    return this.data.data.class_names[c] ?? `class ${c}`;
  }

  /** Give a feature a name; null brings back the one that was suggested. */
  rename(j: number, name: string | null): void {
    const card = this.feature.get(j);
    const first = this.data.features.find((one) => one.index === j);
    const suggested = first && first.name_source !== 'person' ? first : null;
    const empty: FeatureCard = { index: j, name: null, name_source: null, name_score: null, words: [], pictures: [], highlights: [], trust: [], classes: [], highest: [], lowest: [], histogram: [], bands: [] };
    if (name === null && card === undefined) return;
    const named = name === null ? { name: suggested?.name ?? null, name_source: suggested?.name_source ?? null, name_score: suggested?.name_score ?? null } : { name, name_source: 'person', name_score: card?.name === name ? card.name_score : null };
    if (card?.name !== named.name || card.name_source !== named.name_source) this.feature.set(j, { ...(card ?? empty), ...named });
  }

  /** Take in an example that was asked for, with activations of the chosen layer's features. */
  add({ features, ...card }: FarExample): void {
    this.example.set(card.key, card);
    if (this.rowOf.has(card.key)) return;
    const z = new Float32Array(this.columns.length).fill(NaN);
    for (const [j, value] of features) {
      const column = this.columnOf.get(j);
      if (column !== undefined) z[column] = value;
    }
    this.rowOf.set(card.key, this.n + this.farRows.push(z) - 1);
  }

  private zAt(row: number, column: number): number {
    return row < this.n ? this.z[column * this.n + row] : this.farRows[row - this.n][column];
  }

  featureName(j: number): string {
    return this.feature.get(j)?.name ?? `Feature ${j}`;
  }

  activation(row: number, j: number): number | null {
    const column = this.columnOf.get(j);
    return column === undefined ? null : this.zAt(row, column);
  }

  /** Activations of one feature, by row; null where they did not travel. */
  activations(j: number): Float32Array | null {
    const column = this.columnOf.get(j);
    return column === undefined ? null : this.z.subarray(column * this.n, (column + 1) * this.n);
  }

  /** Features of a class, strongest first; of the dense layer the ten strongest. */
  row(view: View, c: number): Weight[] {
    if (!view.dense) return this.path.row(view.at, c);
    return this.data.classes[c].dense_features.map(({ feature, weight }) => ({ index: feature, weight }));
  }

  /** Classes that use a feature, strongest first; of the dense layer those in the file. */
  column(view: View, j: number): Weight[] {
    if (!view.dense) return this.path.column(view.at, j);
    const column = this.columnOf.get(j);
    if (this.denseWeight === null || column === undefined) return [];
    const found: Weight[] = [];
    for (let c = 0; c < this.K; c++) found.push({ index: c, weight: this.denseWeight[c * this.columns.length + column] });
    return found.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  }

  /** The same in no order. */
  users(view: View, j: number): Weight[] {
    return view.dense ? this.column(view, j) : this.path.users(view.at, j);
  }

  /** The class that a feature weighs most for, and how many use it. */
  strongest(view: View, j: number): { top: Weight | null; n: number } {
    if (!view.dense) return this.path.strongest(view.at, j);
    const column = this.column(view, j);
    return { top: column[0] ?? null, n: column.length };
  }

  /** Call `visit(feature, weight)` for each weight of a class on features with activations, ascending. */
  eachOf(view: View, c: number, visit: (j: number, weight: number) => void): void {
    const m = this.columns.length;
    if (!view.dense) this.path.eachOf(view.at, c, visit);
    else if (this.denseWeight) for (let column = 0; column < m; column++) visit(this.columns[column], this.denseWeight[c * m + column]);
  }

  /** Scores of the dense layer for the example in `row`; null: they did not travel. */
  denseScores(row: number): Float32Array | null {
    return this.denseWeight && this.denseLogits && this.denseLogits.subarray(row * this.K, (row + 1) * this.K);
  }

  count(view: View, c: number): number {
    return view.dense ? this.p - this.data.model.n_dead : this.path.count(view.at, c);
  }

  /** Mean standardised activation on the class's training examples. */
  meanActivation(c: number, j: number): number | null {
    return this.means().get(c * this.p + j) ?? null;
  }

  recall(view: View, c: number, split: 'test' | 'validation' = 'test'): ClassRecall | null {
    const n = this.data.data.splits.find((row) => row.split === split)?.per_class[c] ?? 0;
    if (n === 0) return null;
    if (view.dense) {
      const hits = this.data.along.dense_hits[split]?.[c];
      return hits === undefined ? null : { hits, n };
    }
    const hits = this.hits[split];
    if (hits) return { hits: hits[view.at * this.K + c], n };
    const known = split === 'test' && view.at === this.selected ? this.data.classes[c].recall : null;
    return known && { hits: Math.round(known.value * n), n };
  }

  /** Scores of all classes for the example in `row`, with some features off; null: not in this file. */
  logits(view: View, row: number, off: ReadonlySet<number> = NONE): Float64Array | null {
    const scores = new Float64Array(this.K);
    const m = this.columns.length;
    if (view.dense) {
      if (this.denseLogits === null || this.denseWeight === null || row >= this.n) return null;
      for (let c = 0; c < this.K; c++) {
        scores[c] = this.denseLogits[row * this.K + c];
        for (const j of off) {
          const column = this.columnOf.get(j);
          if (column !== undefined) scores[c] -= this.denseWeight[c * m + column] * this.zAt(row, column);
        }
      }
      return scores;
    }
    const [z, first, step] = row < this.n ? [this.z, row, this.n] : [this.farRows[row - this.n], 0, 1];
    const { position, value, start } = this.path.at(view.at);
    for (let c = 0; c < this.K; c++) {
      let score = this.path.intercept(view.at, c);
      for (let i = start[c]; i < start[c + 1]; i++) {
        const j = position[i] - c * this.p;
        if (!off.size || !off.has(j)) score += value[i] * z[first + step * this.place[j]];
      }
      scores[c] = score;
    }
    // An example that was asked for has the activations of the chosen layer's features only.
    return scores.some(Number.isNaN) ? null : scores;
  }

  /** From the intercept to the score of class `c`, or to its lead over class `against`. */
  contributions(view: View, row: number, c: number, against: number | null, off: ReadonlySet<number> = NONE): Contributions | null {
    const scores = this.logits(view, row, off);
    if (scores === null) return null;
    const weights = new Map<number, number>();
    const add = (k: number, sign: number) => this.eachOf(view, k, (j, weight) => weights.set(j, (weights.get(j) ?? 0) + sign * weight));
    add(c, 1);
    if (against !== null) add(against, -1);
    const parts: Part[] = [];
    for (const [feature, weight] of weights) {
      const z = this.activation(row, feature)!;
      parts.push({ feature, z, weight, value: off.has(feature) ? 0 : weight * z });
    }
    parts.sort((a, b) => Math.abs(b.weight * b.z) - Math.abs(a.weight * a.z) || a.feature - b.feature);
    const bias = (k: number) => (view.dense ? this.denseBias[k] : this.path.intercept(view.at, k));
    const intercept = bias(c) - (against === null ? 0 : bias(against));
    const total = scores[c] - (against === null ? 0 : scores[against]);
    const sum = parts.reduce((held, part) => held + part.value, intercept);
    return { intercept, parts, rest: view.dense ? total - sum : 0, total };
  }

  /**
   * The fewest features whose removal changes the prediction, and to what; null: none does.
   * Scores are linear, so against each rival the largest parts first is the fewest.
   */
  smallestFlip(view: View, row: number): { features: number[]; to: number } | null {
    const scores = this.logits(view, row);
    if (scores === null) return null;
    const from = best(scores);
    let found: number[] | null = null;
    for (let rival = 0; rival < this.K; rival++) {
      if (rival === from) continue;
      const parts = this.contributions(view, row, from, rival)!.parts.filter((part) => part.value > 0);
      let lead = scores[from] - scores[rival];
      const off: number[] = [];
      for (const part of parts) {
        if (lead < 0 || (found && off.length >= found.length)) break;
        lead -= part.value;
        off.push(part.feature);
      }
      if (lead < 0 && (!found || off.length < found.length)) found = off;
    }
    // Another class may gain more from the same features than the rival that gave them.
    return found && { features: found, to: best(this.logits(view, row, new Set(found))!) };
  }
}

const NONE: ReadonlySet<number> = new Set();

/** Index of the largest; the first of several. */
export function best(scores: ArrayLike<number>): number {
  let found = 0;
  for (let c = 1; c < scores.length; c++) if (scores[c] > scores[found]) found = c;
  return found;
}

/** Classes by score, highest first. */
export function ranked(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, c) => c).sort((a, b) => scores[b] - scores[a] || a - b);
}

export function softmax(scores: ArrayLike<number>): number[] {
  const values = Array.from(scores);
  const top = Math.max(...values);
  const powers = values.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

export const hasContent = (card: ExampleCard): boolean => card.text !== null || card.image !== null;
