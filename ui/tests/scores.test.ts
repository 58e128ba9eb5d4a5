import { describe, expect, it } from 'vitest';
import { blame, callAll, type Blame } from '../src/lib/errors';
import { best, Model, type View } from '../src/lib/model';
import { now } from '../src/lib/later.svelte';
import { scoreAll } from '../src/lib/scores';
import { pack, packColumns, sample } from './sample';

/** Numbers from 0 to 1 that are the same each time. */
function random(seed: number): () => number {
  let held = seed;
  return () => ((held = (held * 1664525 + 1013904223) >>> 0), held / 2 ** 32);
}

/** A run of random weights on many features, with ties among its scores. */
function made(seed: number): Model {
  const [K, p, n, points] = [7, 11, 60, 3];
  const next = random(seed);
  const coarse = () => Math.round(8 * (next() - 0.5)) / 2;
  const held = Array.from({ length: points }, (_, i) => Array.from({ length: K * p }, (_, at) => at).filter(() => next() < 0.25 * (i + 1)));
  const uint = (values: number[]) => pack('uint32', [values.length], values);
  const float = (values: number[]) => pack('float32', [values.length], values);
  const data = sample();
  const keys = Array.from({ length: n }, (_, row) => `e${row}`);
  const numbers = (count: number) => Array.from({ length: count }, coarse);
  return new Model({
    ...data,
    model: { ...data.model, n_features: p },
    data: { ...data.data, class_names: Array.from({ length: K }, (_, c) => `class ${c}`) },
    classes: Array.from({ length: K }, (_, index) => ({ ...data.classes[0], index })),
    along: {
      ...data.along,
      intercept: float(numbers(points * K)),
      enter_counts: uint(held.map((now, i) => now.filter((at) => !held[i - 1]?.includes(at)).length)),
      enter: uint(held.flatMap((now, i) => now.filter((at) => !held[i - 1]?.includes(at)))),
      leave_counts: uint(held.map((now, i) => (held[i - 1] ?? []).filter((at) => !now.includes(at)).length)),
      leave: uint(held.flatMap((now, i) => (held[i - 1] ?? []).filter((at) => !now.includes(at)))),
      values: float(numbers(held.flat().length)),
      columns: uint(Array.from({ length: p }, (_, j) => j)),
      keys,
      labels: keys.map(() => Math.floor(K * next())),
      splits: keys.map((_, row) => (row % 5 ? 'test' : 'train')),
      activations: packColumns(p, numbers(n * p)),
      dense_intercept: float(numbers(K)),
      dense_weight: pack('float32', [K, p], numbers(K * p)),
      dense_logits: pack('float32', [n, K], numbers(n * K)),
    },
  });
}

/** Each feature off, each example scored again: the slow, obvious way. */
function slowly(model: Model, view: View, wrong: number[]): Blame[] {
  const call = (row: number, off: number[]) => best(model.logits(view, row, new Set(off))!);
  const { labels } = model.data.along;
  const right = model.testRows.filter((row) => call(row, []) === labels[row]);
  return [...model.columns]
    .map((feature) => ({
      feature,
      mended: wrong.filter((row) => call(row, [feature]) === labels[row]),
      broken: right.filter((row) => call(row, [feature]) !== labels[row]).length,
    }))
    .filter((one) => one.mended.length);
}

const views = [0, 1, 2].map((at) => ({ at, dense: false })).concat({ at: 0, dense: true });
const cases = [1, 2, 3, 4].flatMap((seed) => views.map((view) => ({ seed, view })));

describe('scores of all examples at once', () => {
  it.each(cases)('are those of each one: seed $seed, $view', ({ seed, view }) => {
    const model = made(seed);
    const n = model.data.along.keys.length;
    const { all, called } = now(scoreAll(model, view))!;
    for (let row = 0; row < n; row++) {
      const own = [...model.logits(view, row)!];
      expect(Array.from({ length: model.K }, (_, c) => all[c * n + row])).toEqual(own);
      expect(called[row]).toBe(best(own));
    }
  });
  it('are not known of a dense layer that did not travel', () => {
    const data = sample();
    data.along.dense_weight = null;
    expect(now(scoreAll(new Model(data), views[3]))).toBeNull();
  });
});

describe('blame', () => {
  it.each(cases)('is what switching off one feature at a time finds: seed $seed, $view', ({ seed, view }) => {
    const model = made(seed);
    const answers = now(callAll(model, view))!;
    const errors = answers.calls.filter((call) => call.label !== call.predicted);
    const by = (found: Blame[]) => [...found].sort((a, b) => a.feature - b.feature);
    const found = now(blame(model, view, answers, errors));
    expect(by(found)).toEqual(slowly(model, view, errors.map(({ row }) => row)));
    const net = found.map((one) => one.mended.length - one.broken);
    expect(net).toEqual([...net].sort((a, b) => b - a));
  });
});

describe('columns', () => {
  it('are the rows turned round', () => {
    const model = made(6);
    for (let j = 0; j < model.p; j++) {
      const own = Array.from({ length: model.K }, (_, c) => ({ index: c, weight: model.path.row(2, c).find(({ index }) => index === j)?.weight })).filter(({ weight }) => weight !== undefined);
      expect([...model.path.column(2, j)].sort((a, b) => a.index - b.index)).toEqual(own);
      expect(model.path.used(2).includes(j)).toBe(own.length > 0);
      expect(Math.abs(model.path.strongest(2, j).top?.weight ?? 0)).toBe(Math.max(0, ...own.map(({ weight }) => Math.abs(weight!))));
    }
  });
});
