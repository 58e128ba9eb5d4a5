// What edits of the layer itself do to the test examples in the file: no server, no solving again.
import type { Draft } from './drafts';
import { now as finished } from './later.svelte';
import { best, type Model } from './model';
import { scoreAll } from './scores';
import type { Accuracy, Measured } from './server';

/** Whether the browser can tell what an edit does: the others solve the layer again. */
export const previewable = (one: Draft): boolean => one.action === 'zero' || one.action === 'scale';

export interface Preview {
  rows: Measured[];
  n: number;
  /** Keys of the examples whose answer changes. */
  changed: string[];
}

/** Before and after on test, at the chosen layer. */
export function preview(model: Model, drafts: Draft[]): Preview {
  const at = model.selected;
  const factor = new Map<string, number>();
  for (const one of drafts) {
    const classes = one.classes.length ? one.classes : Array.from({ length: model.K }, (_, c) => c);
    for (const c of classes) for (const j of one.features) factor.set(`${c}:${j}`, (factor.get(`${c}:${j}`) ?? 1) * (one.action === 'zero' ? 0 : (one.factor ?? 1)));
  }
  const moved: { c: number; j: number; by: number }[] = [];
  model.path.each(at, (c, j, weight) => {
    const found = factor.get(`${c}:${j}`);
    if (found !== undefined) moved.push({ c, j, by: (found - 1) * weight });
  });
  const right: [boolean, boolean, number][] = [];
  const changed: string[] = [];
  const { all, called } = finished(scoreAll(model, { at, dense: false }))!;
  const scores = new Float64Array(model.K);
  for (const row of model.testRows) {
    for (let c = 0; c < model.K; c++) scores[c] = all[c * model.n + row];
    const was = called[row];
    for (const { c, j, by } of moved) scores[c] += by * model.activation(row, j)!;
    const now = best(scores);
    const label = model.data.along.labels[row];
    right.push([was === label, now === label, label]);
    if (was !== now) changed.push(model.data.along.keys[row]);
  }
  const rows = [measured('accuracy', 'all', right)];
  for (let c = 0; c < model.K; c++) {
    const own = right.filter(([, , label]) => label === c);
    if (own.length) rows.push(measured(`recall of ${model.className(c)}`, 'class', own));
  }
  return { rows, n: right.length, changed };
}

function measured(what: string, kind: Measured['kind'], right: [boolean, boolean, number][]): Measured {
  const n = right.length;
  const won = right.filter(([was, now]) => !was && now).length;
  const lost = right.filter(([was, now]) => was && !now).length;
  const value = n ? (won - lost) / n : 0;
  // Agresti and Min (2005): as the server measures it.
  const shifted = (won - lost) / (n + 2);
  const half = 1.959964 * Math.sqrt(Math.max(0, won + lost + 1 - (won - lost) ** 2 / (n + 2))) / (n + 2);
  const share = (hits: number): Accuracy => ({ value: n ? hits / n : NaN, low: NaN, high: NaN, n });
  return {
    what,
    kind,
    split: 'test',
    before: share(right.filter(([was]) => was).length),
    after: share(right.filter(([, now]) => now).length),
    change: value,
    low: Math.max(-1, Math.min(shifted - half, value)),
    high: Math.min(1, Math.max(shifted + half, value)),
  };
}
