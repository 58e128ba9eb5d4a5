// A small run made by hand: three classes, five features, three points, four test examples.
import type { AppData, ExampleCard, Packed, PackedColumns } from '../src/lib/schema';

export function pack(dtype: Packed['dtype'], shape: number[], values: number[]): Packed {
  const held = { uint16: () => new Uint16Array(values), uint32: () => new Uint32Array(values), float32: () => new Float32Array(values) }[dtype]();
  return { dtype, shape, data: btoa(String.fromCharCode(...new Uint8Array(held.buffer))) };
}

/** Rows of eighths, which come back to the last bit. */
export function packColumns(m: number, values: number[]): PackedColumns {
  const columns = Array.from({ length: m }, (_, j) => values.filter((_, i) => i % m === j));
  const low = columns.map((column) => Math.min(...column));
  const codes = columns.flatMap((column, j) => column.map((value) => 8 * (value - low[j])));
  return { low: pack('float32', [m], low), step: pack('float32', [m], low.map(() => 1 / 8)), code: pack('uint16', [m, values.length / m], codes) };
}

const share = (value: number, n = 4) => ({ value, low: Math.max(0, value - 0.1), high: Math.min(1, value + 0.1), n });
const accuracy = (value: number) => ({ train: share(value), validation: share(value), test: share(value) });

// Weights (class, feature) of the points: none; then two; then four, one of which replaced another.
export const POINTS = [
  {},
  { '0,1': 1, '2,3': -0.5 },
  { '0,1': 2, '1,0': 0.5, '1,4': -1, '2,2': 0.25 },
] as Record<string, number>[];
export const INTERCEPT = [
  [0.5, 0, 0],
  [0.25, 0, 0],
  [0, 0.25, 0.5],
];
export const Z = [
  [0, 1, 0, 0, 0],
  [2, -1, 0, 1, 1],
  [0, 0, 4, -2, 0],
  [0, 2, 0, 0, -3],
];
const LABELS = [0, 1, 2, 0];

export function sample(examples: Partial<ExampleCard>[] = []): AppData {
  const p = 5;
  const positions = POINTS.map((point) =>
    Object.keys(point)
      .map((key) => key.split(',').map(Number))
      .map(([c, j]) => c * p + j)
      .sort((a, b) => a - b),
  );
  const value = (point: number, position: number) => POINTS[point][`${Math.floor(position / p)},${position % p}`];
  const enter = positions.map((now, i) => now.filter((one) => !(positions[i - 1] ?? []).includes(one)));
  const leave = positions.map((now, i) => (positions[i - 1] ?? []).filter((one) => !now.includes(one)));
  const uint = (values: number[]) => pack('uint32', [values.length], values);
  const names = ['cat', 'dog', '<b>bird</b>'];
  const keys = ['a', 'b', 'c', 'd'];
  return {
    schema_version: 1, layer_fingerprint: 'layer', bias: null, compare: [], made_by: 'a test', name: 'sample',
    model: { name: 'net', modality: 'text', n_features: p, n_dead: 0, has_head: false, same_classes: false, layer: null, fingerprint: 'f' },
    data: { name: 'pets', class_names: names, splits: [{ split: 'test', n: 4, per_class: [2, 1, 1] }], metadata: [], notes: [], problems: [], fingerprint: 'd' },
    path: {
      family: 'multinomial', targets: 'labels', l1_ratio: 1, tol: 1e-4, selected: 2, rule: 'a rule',
      points: positions.map((now, i) => ({
        lam: 1 / (i + 1), features_per_class: now.length / 3, n_nonzero: now.length, n_features: now.length, gap: 1e-5, kkt: 1e-5, status: 'optimal', accuracy: accuracy(0.5 + 0.1 * i),
      })),
    },
    layers: [{ name: 'dense', description: 'ridge', lam: 1, features_per_class: 5, n_features: 5, gap: 1e-6, status: 'optimal', accuracy: accuracy(0.75) }],
    agreement: [], agreement_note: '', ablation: [], explained: [], analysis: [], slices: [], confusions: [], mended_by_one: null, limits: [],
    checks: ['a class that leans on one feature'],
    classes: names.map((name, index) => ({ index, name, n_features: 1, recall: share(0.5), precision: null, dense_recall: share(0.5), features: [], dense_features: [{ feature: 1, weight: 0.5, share: 0.5 }] })),
    features: [
      {
        index: 1, name: 'purring', name_source: 'person', name_score: 0.9, words: [{ word: 'purr', weight: 1, low: 0.5, high: 1.5, count: 3 }], pictures: [],
        highlights: [{ key: 'a', r2: 0.9, spans: [[2, 6, 0.8]], image: null }], trust: [], classes: [[0, 2]], highest: [['d', 2], ['a', 1]], lowest: [['b', -1]],
        histogram: [{ low: -1, high: 0, count: 2 }, { low: 0, high: 2, count: 2 }], bands: [],
      },
    ],
    findings: [], tested: [],
    examples: keys.map((key, i) => ({ key, id: key, split: 'test', label: LABELS[i], predicted: 0, text: `🐱 purr ${key}`, image: null, ...examples[i] })),
    along: {
      points: [0, 1, 2],
      intercept: pack('float32', [3, 3], INTERCEPT.flat()),
      enter_counts: uint(enter.map((one) => one.length)), enter: uint(enter.flat()),
      leave_counts: uint(leave.map((one) => one.length)), leave: uint(leave.flat()),
      values: pack('float32', [6], positions.flatMap((now, i) => now.map((one) => value(i, one)))),
      hits: { test: pack('uint32', [3, 3], [2, 0, 0, 1, 0, 0, 2, 1, 1]) },
      dense_hits: { test: [1, 1, 1] },
      mean_at: uint([1]), mean: pack('float32', [1], [1.5]),
      columns: uint([0, 1, 2, 3, 4]), keys, labels: LABELS, splits: keys.map(() => 'test'),
      activations: packColumns(5, Z.flat()), whole_test: true,
      dense_intercept: pack('float32', [3], [0, 0, 0]),
      dense_weight: pack('float32', [3, 5], Array.from({ length: 15 }, (_, i) => i / 10)),
      dense_logits: pack('float32', [4, 3], Array.from({ length: 12 }, (_, i) => i)),
    },
  };
}
