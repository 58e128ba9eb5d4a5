// Errors of the test examples in the file, and which feature to blame for them.
import type { Model, View } from './model';
import type { Weight } from './path';
import { scoreAll } from './scores';

export interface Called {
  row: number;
  label: number;
  predicted: number;
}

export interface Answers {
  /** Of each test example in the file. */
  calls: Called[];
  /** Of all examples in the file, `[class * n + row]`. */
  scores: Float64Array;
}

/** What each test example in the file is called; null: the weights did not travel. */
export function* callAll(model: Model, view: View): Generator<void, Answers | null, void> {
  const found = yield* scoreAll(model, view);
  if (found === null) return null;
  const { labels } = model.data.along;
  return { calls: model.testRows.map((row) => ({ row, label: labels[row], predicted: found.called[row] })), scores: found.all };
}

export interface Blame {
  feature: number;
  /** Rows of errors that are right without the feature. */
  mended: number[];
  /** Right answers, of all test examples in the file, that are wrong without it. */
  broken: number;
}

/**
 * Switch off each feature in use, one at a time.
 *
 * By errors mended less right answers broken, best first; only features that mend one of `errors`.
 */
export function* blame(model: Model, view: View, { calls, scores }: Answers, errors: Called[]): Generator<void, Blame[], void> {
  const { n } = model;
  const mended = new Map<number, Called[]>();
  for (const call of errors) {
    const { row, label, predicted } = call;
    const lead = scores[predicted * n + row] - scores[label * n + row];
    // Only what takes the lead from the wrong class can mend: a feature of one of the two.
    const gain = new Map<number, number>();
    model.eachOf(view, predicted, (j, weight) => gain.set(j, weight));
    model.eachOf(view, label, (j, weight) => gain.set(j, (gain.get(j) ?? 0) - weight));
    for (const [j, weight] of gain) {
      if (weight * model.activation(row, j)! < lead * (1 - ROUNDING) - ROUNDING) continue;
      const rows = mended.get(j);
      if (rows) rows.push(call);
      else mended.set(j, [call]);
    }
    yield;
  }
  const without = new Without(model, view, scores, calls);
  const right = calls.filter((call) => call.label === call.predicted);
  const found: Blame[] = [];
  for (const [feature, candidates] of mended) {
    without.take(feature);
    const rows = candidates.filter((call) => without.isRight(call)).map(({ row }) => row);
    if (rows.length) found.push({ feature, mended: rows, broken: right.filter((call) => !without.isRight(call)).length });
    yield;
  }
  return found.sort(
    (a, b) => b.mended.length - b.broken - (a.mended.length - a.broken) || b.mended.length - a.mended.length || a.feature - b.feature,
  );
}

/** Differences of sums are not exact; candidates are checked exactly. */
const ROUNDING = 1e-9;

/** Whether examples are called right without one feature. */
class Without {
  private readonly n: number;
  private users: Weight[] = [];
  private z: Float32Array = new Float32Array(0);
  /** Weights of the feature, by class. */
  private readonly weight: Float64Array;
  /** By row: the highest class that is neither the true one nor the predicted one; −1: there is none. */
  private readonly other: Int32Array;

  constructor(private readonly model: Model, private readonly view: View, private readonly scores: Float64Array, calls: Called[]) {
    const n = model.n;
    this.n = n;
    this.weight = new Float64Array(model.K);
    this.other = new Int32Array(n).fill(-1);
    const most = new Float64Array(n).fill(-Infinity);
    for (let c = 0; c < model.K; c++) {
      for (const { row, label, predicted } of calls) {
        if (scores[c * n + row] <= most[row] || c === label || c === predicted) continue;
        most[row] = scores[c * n + row];
        this.other[row] = c;
      }
    }
  }

  take(j: number): void {
    for (const { index } of this.users) this.weight[index] = 0;
    this.users = this.model.users(this.view, j);
    this.z = this.model.activations(j)!;
    for (const { index, weight } of this.users) this.weight[index] = weight;
  }

  isRight({ row, label, predicted }: Called): boolean {
    const { scores, n, weight, users } = this;
    const z = this.z[row];
    const own = scores[label * n + row] - weight[label] * z;
    const beats = (c: number) => {
      const score = scores[c * n + row] - weight[c] * z;
      return score > own || (score === own && c < label);
    };
    for (let i = 0; i < users.length; i++) if (users[i].index !== label && beats(users[i].index)) return false;
    if (predicted !== label && beats(predicted)) return false;
    const other = this.other[row];
    // Classes that the feature does not move are no higher than this one.
    if (other < 0 || own > scores[other * n + row]) return true;
    for (let c = 0; c < weight.length; c++) if (c !== label && beats(c)) return false;
    return true;
  }
}
