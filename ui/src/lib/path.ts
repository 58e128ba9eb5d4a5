// The regularization path's weights: decoded once from sparse deltas, then read by point.
import { floats, uints } from './packed';
import type { AlongPath } from './schema';

export interface Weight {
  /** Feature of a row, or class of a column. */
  index: number;
  weight: number;
}

/** Weights of one point: positions (class * p + feature) ascending, with where each class begins. */
interface Point {
  position: Uint32Array;
  value: Float32Array;
  start: Uint32Array;
}

/** The weights of all points that travel; `at` counts these points, the sparsest first. */
export class PathWeights {
  private readonly points: Point[] = [];
  private readonly bias: Float32Array;
  private readonly columns = new Map<number, Map<number, Weight[]>>();

  constructor(
    along: AlongPath,
    readonly K: number,
    readonly p: number,
  ) {
    this.bias = floats(along.intercept);
    const enter = uints(along.enter);
    const leave = uints(along.leave);
    const values = floats(along.values);
    const entering = uints(along.enter_counts);
    const leaving = uints(along.leave_counts);
    let held = new Uint32Array(0);
    let e = 0;
    let l = 0;
    let v = 0;
    for (let i = 0; i < along.points.length; i++) {
      held = change(held, enter.subarray(e, (e += entering[i])), leave.subarray(l, (l += leaving[i])));
      this.points.push({ position: held, value: values.subarray(v, (v += held.length)), start: this.starts(held) });
    }
  }

  get length(): number {
    return this.points.length;
  }

  intercept(at: number, c: number): number {
    return this.bias[at * this.K + c];
  }

  /** Features that class `c` uses, strongest first. */
  row(at: number, c: number): Weight[] {
    const { position, value, start } = this.points[at];
    const found: Weight[] = [];
    for (let i = start[c]; i < start[c + 1]; i++) found.push({ index: position[i] - c * this.p, weight: value[i] });
    return found.sort(byStrength);
  }

  /** How many features class `c` uses. */
  count(at: number, c: number): number {
    const { start } = this.points[at];
    return start[c + 1] - start[c];
  }

  /** Classes that use feature `j`, strongest first. */
  column(at: number, j: number): Weight[] {
    return this.columnsOf(at).get(j) ?? [];
  }

  /** Features that at least one class uses, ascending. */
  used(at: number): number[] {
    return [...this.columnsOf(at).keys()].sort((a, b) => a - b);
  }

  /** Call `visit(class, feature, weight)` for each weight that is not zero. */
  each(at: number, visit: (c: number, j: number, weight: number) => void): void {
    const { position, value, start } = this.points[at];
    for (let c = 0; c < this.K; c++) {
      for (let i = start[c]; i < start[c + 1]; i++) visit(c, position[i] - c * this.p, value[i]);
    }
  }

  /** Columns are asked for one point again and again, and only the last points are worth keeping. */
  private columnsOf(at: number): Map<number, Weight[]> {
    const known = this.columns.get(at);
    if (known) return known;
    const found = new Map<number, Weight[]>();
    this.each(at, (c, j, weight) => {
      const column = found.get(j);
      if (column) column.push({ index: c, weight });
      else found.set(j, [{ index: c, weight }]);
    });
    for (const column of found.values()) column.sort(byStrength);
    if (this.columns.size >= 8) this.columns.clear();
    this.columns.set(at, found);
    return found;
  }

  private starts(position: Uint32Array): Uint32Array {
    const start = new Uint32Array(this.K + 1);
    let i = 0;
    for (let c = 0; c < this.K; c++) {
      start[c] = i;
      const end = (c + 1) * this.p;
      while (i < position.length && position[i] < end) i++;
    }
    start[this.K] = position.length;
    return start;
  }
}

const byStrength = (a: Weight, b: Weight): number => Math.abs(b.weight) - Math.abs(a.weight) || a.index - b.index;

/** Positions after some entered and some left; all three ascending. */
function change(before: Uint32Array, enter: Uint32Array, leave: Uint32Array): Uint32Array<ArrayBuffer> {
  const after = new Uint32Array(before.length + enter.length - leave.length);
  let e = 0;
  let l = 0;
  let out = 0;
  for (let i = 0; i < before.length; i++) {
    while (e < enter.length && enter[e] < before[i]) after[out++] = enter[e++];
    if (l < leave.length && leave[l] === before[i]) l++;
    else after[out++] = before[i];
  }
  while (e < enter.length) after[out++] = enter[e++];
  return after;
}
