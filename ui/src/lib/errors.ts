// Errors of the test examples in the file, and which feature to blame for them.
import { best, ranked, type Model, type View } from './model';

export interface Called {
  row: number;
  label: number;
  predicted: number;
  scores: Float64Array;
}

/** What each test example in the file is called; null: the weights did not travel. */
export function* callAll(model: Model, view: View): Generator<void, Called[] | null, void> {
  const found: Called[] = [];
  for (const row of model.testRows) {
    const scores = model.logits(view, row);
    if (scores === null) return null;
    found.push({ row, label: model.data.along.labels[row], predicted: best(scores), scores });
    yield;
  }
  return found;
}

export interface Blame {
  feature: number;
  /** Rows of errors that are right without the feature. */
  mended: number[];
  /** Right answers, of all test examples in the file, that are wrong without it. */
  broken: number;
}

/** Classes of an example that are looked at before all are. */
const FIRST = 48;

/**
 * Switch off each feature in use, one at a time.
 *
 * By errors mended less right answers broken, best first; only features that mend one of `errors`.
 */
export function* blame(model: Model, view: View, calls: Called[], errors: Called[]): Generator<void, Blame[], void> {
  const features = view.dense ? [...model.columns] : model.path.used(view.at);
  const wanted = new Set(errors.map((error) => error.row));
  const right = calls.filter((call) => call.label === call.predicted);
  const order = new Map<number, number[]>();
  for (const call of calls) {
    if (!wanted.has(call.row) && call.label !== call.predicted) continue;
    order.set(call.row, ranked(call.scores).slice(0, FIRST));
    yield;
  }
  const moved = new Uint8Array(model.K);
  const found: Blame[] = [];
  for (const feature of features) {
    const column = model.column(view, feature);
    for (const { index } of column) moved[index] = 1;
    const without = (call: Called): number => {
      const z = model.activation(call.row, feature)!;
      // Of the classes that do not use the feature, only the first can be the highest.
      let top = order.get(call.row)!.find((c) => !moved[c]) ?? -1;
      if (top < 0) for (let c = 0; c < model.K; c++) if (!moved[c] && (top < 0 || call.scores[c] > call.scores[top])) top = c;
      let most = top < 0 ? -Infinity : call.scores[top];
      for (const { index, weight } of column) {
        const score = call.scores[index] - weight * z;
        if (score > most || (score === most && index < top)) [top, most] = [index, score];
      }
      return top;
    };
    const mended: number[] = [];
    for (const call of errors) if (without(call) === call.label) mended.push(call.row);
    if (mended.length) found.push({ feature, mended, broken: right.filter((call) => without(call) !== call.label).length });
    for (const { index } of column) moved[index] = 0;
    yield;
  }
  return found.sort((a, b) => b.mended.length - b.broken - (a.mended.length - a.broken) || b.mended.length - a.mended.length);
}
