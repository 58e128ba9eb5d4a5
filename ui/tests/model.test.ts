import { describe, expect, it } from 'vitest';
import { blame, callAll } from '../src/lib/errors';
import { correlations, movers } from '../src/lib/similar';
import { now } from '../src/lib/later.svelte';
import { best, Model, softmax } from '../src/lib/model';
import { uints } from '../src/lib/packed';
import { INTERCEPT, pack, POINTS, sample, Z } from './sample';

const model = new Model(sample());
const view = { at: 2, dense: false };

/** Scores by the formula, without any of the code under test. */
function oracle(at: number, row: number, off: number[] = []): number[] {
  return INTERCEPT[at].map((bias, c) =>
    Object.entries(POINTS[at]).reduce((sum, [key, weight]) => {
      const [k, j] = key.split(',').map(Number);
      return k === c && !off.includes(j) ? sum + weight * Z[row][j] : sum;
    }, bias),
  );
}

describe('the path', () => {
  it('gives back every point from its deltas', () => {
    POINTS.forEach((point, at) => {
      const found: Record<string, number> = {};
      model.path.each(at, (c, j, weight) => (found[`${c},${j}`] = weight));
      expect(found).toEqual(point);
    });
  });
  it('reads rows and columns, strongest first', () => {
    expect(model.path.row(2, 1)).toEqual([{ index: 4, weight: -1 }, { index: 0, weight: 0.5 }]);
    expect(model.path.column(2, 1)).toEqual([{ index: 0, weight: 2 }]);
    expect(model.path.used(2)).toEqual([0, 1, 2, 4]);
    expect(model.path.count(0, 0)).toBe(0);
  });
});

describe('an example', () => {
  it('scores as the formula says at every point', () => {
    for (let at = 0; at < 3; at++) for (let row = 0; row < 4; row++) expect([...model.logits({ at, dense: false }, row)!]).toEqual(oracle(at, row));
  });
  it('has parts that add up to the lead, also with features off', () => {
    for (const off of [new Set<number>(), new Set([1]), new Set([1, 4])]) {
      const found = model.contributions(view, 3, 0, 1, off)!;
      const sum = found.parts.reduce((held, part) => held + part.value, found.intercept);
      expect(sum).toBeCloseTo(found.total, 12);
      const scores = oracle(2, 3, [...off]);
      expect(found.total).toBeCloseTo(scores[0] - scores[1], 12);
    }
  });
  it('of the dense layer says what the features that did not travel add', () => {
    const found = model.contributions({ at: 2, dense: true }, 1, 2, null)!;
    expect(found.parts.reduce((held, part) => held + part.value, found.intercept) + found.rest).toBeCloseTo(5, 5);
  });
  it('flips with the fewest features: no smaller set does', () => {
    for (let row = 0; row < 4; row++) {
      const flip = model.smallestFlip(view, row);
      const from = best(oracle(2, row));
      const used = [0, 1, 2, 4];
      const sets = Array.from({ length: 16 }, (_, bits) => used.filter((_, i) => bits & (1 << i)));
      const sizes = sets.filter((off) => best(oracle(2, row, off)) !== from).map((off) => off.length);
      if (flip === null) expect(sizes).toEqual([]);
      else {
        expect(best(oracle(2, row, flip.features))).toBe(flip.to);
        expect(flip.features.length).toBe(Math.min(...sizes));
      }
    }
  });
});

describe('errors', () => {
  it('are blamed on the feature whose removal alone mends them', () => {
    const data = sample();
    data.along.labels = [1, 1, 2, 0];
    const wrong = new Model(data);
    const answers = now(callAll(wrong, view))!;
    const { calls } = answers;
    const errors = calls.filter((call) => call.label !== call.predicted);
    const groups = now(blame(wrong, view, answers, errors));
    const mends = (j: number) => errors.some(({ row, label }) => best(oracle(2, row, [j])) === label);
    expect(groups.map((group) => group.feature).sort()).toEqual(wrong.path.used(view.at).filter(mends).sort());
    for (const group of groups) {
      for (const row of group.mended) expect(best(oracle(2, row, [group.feature]))).toBe(data.along.labels[row]);
      const broken = calls.filter((call) => call.label === call.predicted && best(oracle(2, call.row, [group.feature])) !== call.label);
      expect(group.broken).toBe(broken.length);
    }
    expect(errors.length).toBeGreaterThan(0);
  });
});

it('features that move together are those of the highest correlation', () => {
  const model = new Model(sample());
  const [j, ...others] = [...model.columns];
  const r = correlations(model, j)!;
  const a = model.activations(j)!;
  const mean = (x: ArrayLike<number>) => Array.from(x).reduce((s, v) => s + v, 0) / x.length;
  for (const other of others) {
    const b = model.activations(other)!;
    const cov = (x: Float32Array, y: Float32Array) => mean(x.map((v, i) => (v - mean(x)) * (y[i] - mean(y))));
    const expected = cov(a, b) / Math.sqrt(cov(a, a) * cov(b, b));
    const found = r[model.columnOf.get(other)!];
    if (Number.isFinite(expected)) expect(found).toBeCloseTo(expected, 4);
    else expect(Number.isFinite(found)).toBe(false);
  }
  const shown = movers(model, j, r, [...model.columns], 2).map((one) => Math.abs(one.correlation));
  expect(shown).toEqual([...shown].sort((x, y) => y - x));
});

it('packed arrays of the wrong length are refused', () => {
  expect(() => uints({ ...pack('uint32', [2], [1, 2]), shape: [3] })).toThrow('shape 3');
});

it('probabilities add up to one, of large scores too', () => {
  expect(softmax([1000, 1001]).reduce((a, b) => a + b)).toBeCloseTo(1);
});
