// Errors of the test examples in the file, and which feature to blame for them.
import { best, type Model, type View } from './model';

export interface Called {
  row: number;
  label: number;
  predicted: number;
}

/** What each test example in the file is called; null: the weights did not travel. */
export function callAll(model: Model, view: View): Called[] | null {
  const found: Called[] = [];
  for (const row of model.testRows) {
    const scores = model.logits(view, row);
    if (scores === null) return null;
    found.push({ row, label: model.data.along.labels[row], predicted: best(scores) });
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

/**
 * Switch off each feature in use, one at a time.
 *
 * By errors mended less right answers broken, best first; only features that mend one of `errors`.
 */
export function blame(model: Model, view: View, calls: Called[], errors: Called[]): Blame[] {
  const features = view.dense ? [...model.columns] : model.path.used(view.at);
  const scores = new Map(calls.map((call) => [call.row, model.logits(view, call.row)!]));
  const wanted = new Set(errors.map((error) => error.row));
  const right = calls.filter((call) => call.label === call.predicted);
  const found: Blame[] = [];
  for (const feature of features) {
    const column = model.column(view, feature);
    const without = (call: Called): number => {
      const z = model.activation(call.row, feature)!;
      const held = scores.get(call.row)!;
      const moved = new Map(column.map(({ index, weight }) => [index, held[index] - weight * z]));
      let top = -1;
      let most = -Infinity;
      for (let c = 0; c < held.length; c++) {
        const score = moved.get(c) ?? held[c];
        if (score > most) [top, most] = [c, score];
      }
      return top;
    };
    const mended = calls.filter((call) => wanted.has(call.row) && without(call) === call.label).map((call) => call.row);
    if (!mended.length) continue;
    found.push({ feature, mended, broken: right.filter((call) => without(call) !== call.label).length });
  }
  return found.sort((a, b) => b.mended.length - b.broken - (a.mended.length - a.broken) || b.mended.length - a.mended.length);
}
