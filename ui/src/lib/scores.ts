// Scores of all examples in the data: a class at a time, which is far faster than an example at a time.
import type { Model, View } from './model';

export interface Scores {
  /** `[class * n + row]`, to the last bit those of `Model.logits`. */
  all: Float64Array;
  /** The highest class of each row; the first of several. */
  called: Uint32Array;
}

/** Score every example; null: the weights did not travel. */
export function* scoreAll(model: Model, view: View): Generator<void, Scores | null, void> {
  const { K, n } = model;
  const all = new Float64Array(K * n);
  if (view.dense) {
    for (let row = 0; row < n; row++) {
      const scores = model.denseScores(row);
      if (scores === null) return null;
      for (let c = 0; c < K; c++) all[c * n + row] = scores[c];
      yield;
    }
  } else {
    for (let c = 0; c < K; c++) {
      scoreClass(model, view, c, all.subarray(c * n, (c + 1) * n));
      yield;
    }
  }
  const called = new Uint32Array(n);
  const most = all.slice(0, n);
  for (let c = 1; c < K; c++) {
    for (let row = 0; row < n; row++) {
      if (all[c * n + row] <= most[row]) continue;
      most[row] = all[c * n + row];
      called[row] = c;
    }
    yield;
  }
  return { all, called };
}

/** Four features at a time: the scores are read and written once for them. */
function scoreClass(model: Model, view: View, c: number, scores: Float64Array): void {
  const { n, z } = model;
  const from: number[] = [];
  const weight: number[] = [];
  model.eachOf(view, c, (j, one) => {
    from.push(model.columnOf.get(j)! * n);
    weight.push(one);
  });
  scores.fill(model.path.intercept(view.at, c));
  let i = 0;
  for (; i + 4 <= from.length; i += 4) {
    const [a, b, d, e] = [from[i], from[i + 1], from[i + 2], from[i + 3]];
    const [wa, wb, wd, we] = [weight[i], weight[i + 1], weight[i + 2], weight[i + 3]];
    for (let row = 0; row < n; row++) scores[row] = scores[row] + wa * z[a + row] + wb * z[b + row] + wd * z[d + row] + we * z[e + row];
  }
  for (; i < from.length; i++) for (let row = 0; row < n; row++) scores[row] += weight[i] * z[from[i] + row];
}
