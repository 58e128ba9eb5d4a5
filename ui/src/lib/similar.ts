// Features that move together over the examples in the file.
import type { Model } from './model';

export interface Mover {
  feature: number;
  correlation: number;
}

/** Correlation of feature `j` with each column of activations; null: its own did not travel. */
export function correlations(model: Model, j: number): Float64Array | null {
  const own = model.columnOf.get(j);
  const n = model.data.along.keys.length;
  if (own === undefined || n < 3) return null;
  const m = model.columns.length;
  const [mean, squares, products] = [0, 1, 2].map(() => new Float64Array(m));
  for (let k = 0; k < m; k++) for (let row = 0; row < n; row++) mean[k] += model.z[k * n + row] / n;
  for (let k = 0; k < m; k++) {
    for (let row = 0; row < n; row++) {
      const y = model.z[k * n + row] - mean[k];
      squares[k] += y * y;
      products[k] += y * (model.z[own * n + row] - mean[own]);
    }
  }
  return products.map((value, k) => value / Math.sqrt(squares[k] * squares[own]));
}

/** The features among some that are most correlated with `j`, by |r|. */
export function movers(model: Model, j: number, r: Float64Array, among: number[], most = 6): Mover[] {
  return among
    .filter((feature) => feature !== j && model.columnOf.has(feature))
    .map((feature) => ({ feature, correlation: r[model.columnOf.get(feature)!] }))
    .filter(({ correlation }) => Number.isFinite(correlation))
    .sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation))
    .slice(0, most);
}
