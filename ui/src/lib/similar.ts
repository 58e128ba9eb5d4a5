// Features that move together over the examples in the file.
import type { Model } from './model';

export interface Mover {
  feature: number;
  correlation: number;
}

/** The features most correlated with `j`, by |r|, over the examples in the file. */
export function movers(model: Model, j: number, among: number[], most = 6): Mover[] {
  const own = model.activations(j);
  if (own === null || own.length < 3) return [];
  const found: Mover[] = [];
  for (const feature of among) {
    const other = feature === j ? null : model.activations(feature);
    const r = other && correlation(own, other);
    if (r !== null && Number.isFinite(r)) found.push({ feature, correlation: r });
  }
  return found.sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation)).slice(0, most);
}

export function correlation(a: Float32Array, b: Float32Array): number {
  const n = a.length;
  let sa = 0;
  let sb = 0;
  for (let i = 0; i < n; i++) {
    sa += a[i];
    sb += b[i];
  }
  let saa = 0;
  let sbb = 0;
  let sab = 0;
  for (let i = 0; i < n; i++) {
    const x = a[i] - sa / n;
    const y = b[i] - sb / n;
    saa += x * x;
    sbb += y * y;
    sab += x * y;
  }
  return sab / Math.sqrt(saa * sbb);
}
