// The regularization path's weights: decoded once from sparse deltas, then read by point.
import { floats, lazily, uints } from './packed';
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

/** The same weights by feature: classes ascending, and where each feature begins. */
interface Columns {
  start: Uint32Array;
  index: Uint32Array;
  weight: Float32Array;
}

/** The weights of all points that travel; `at` counts these points, the sparsest first. */
export class PathWeights {
  /** Points that travel. */
  readonly length: number;
  private readonly points: Point[] = [];
  private readonly bias: Float32Array;
  private readonly changes: () => { enter: Uint32Array; leave: Uint32Array; values: Float32Array; entering: Uint32Array; leaving: Uint32Array };
  /** Positions of the last point that was worked out, and how much of the changes was read for it. */
  private held = new Uint32Array(0);
  private entered = 0;
  private left = 0;
  private spent = 0;
  private readonly columns = new Map<number, Columns>();

  constructor(
    along: AlongPath,
    readonly K: number,
    readonly p: number,
  ) {
    this.length = along.points.length;
    this.bias = floats(along.intercept);
    this.changes = lazily(() => ({ enter: uints(along.enter), leave: uints(along.leave), values: floats(along.values), entering: uints(along.enter_counts), leaving: uints(along.leave_counts) }));
  }

  /** The weights of a point; those up to it are worked out when they are first asked for. */
  at(at: number): Readonly<Point> {
    const { enter, leave, values, entering, leaving } = this.changes();
    for (let i = this.points.length; i <= at; i++) {
      const held = change(this.held, enter.subarray(this.entered, (this.entered += entering[i])), leave.subarray(this.left, (this.left += leaving[i])));
      this.points.push({ position: held, value: values.subarray(this.spent, (this.spent += held.length)), start: this.starts(held) });
      this.held = held;
    }
    return this.points[at];
  }

  intercept(at: number, c: number): number {
    return this.bias[at * this.K + c];
  }

  /** Features that class `c` uses, strongest first. */
  row(at: number, c: number): Weight[] {
    const { position, value, start } = this.at(at);
    const found: Weight[] = [];
    for (let i = start[c]; i < start[c + 1]; i++) found.push({ index: position[i] - c * this.p, weight: value[i] });
    return found.sort(byStrength);
  }

  /** Call `visit(feature, weight)` for each weight of class `c`, features ascending. */
  eachOf(at: number, c: number, visit: (j: number, weight: number) => void): void {
    const { position, value, start } = this.at(at);
    for (let i = start[c]; i < start[c + 1]; i++) visit(position[i] - c * this.p, value[i]);
  }

  /** How many features class `c` uses. */
  count(at: number, c: number): number {
    const { start } = this.at(at);
    return start[c + 1] - start[c];
  }

  /** Classes that use feature `j`, strongest first. */
  column(at: number, j: number): Weight[] {
    return this.users(at, j).sort(byStrength);
  }

  /** The same, classes ascending. */
  users(at: number, j: number): Weight[] {
    const { start, index, weight } = this.columnsOf(at);
    const found: Weight[] = [];
    for (let i = start[j]; i < start[j + 1]; i++) found.push({ index: index[i], weight: weight[i] });
    return found;
  }

  /** The first of `column`, and how many there are. */
  strongest(at: number, j: number): { top: Weight | null; n: number } {
    const { start, index, weight } = this.columnsOf(at);
    let top: Weight | null = null;
    for (let i = start[j]; i < start[j + 1]; i++) {
      if (top === null || Math.abs(weight[i]) > Math.abs(top.weight)) top = { index: index[i], weight: weight[i] };
    }
    return { top, n: start[j + 1] - start[j] };
  }

  /** Features that at least one class uses, ascending. */
  used(at: number): number[] {
    const { start } = this.columnsOf(at);
    const found: number[] = [];
    for (let j = 0; j < this.p; j++) if (start[j + 1] > start[j]) found.push(j);
    return found;
  }

  /** Call `visit(class, feature, weight)` for each weight that is not zero. */
  each(at: number, visit: (c: number, j: number, weight: number) => void): void {
    for (let c = 0; c < this.K; c++) this.eachOf(at, c, (j, weight) => visit(c, j, weight));
  }

  /** Columns are asked for one point again and again, and only the last points are worth keeping. */
  private columnsOf(at: number): Columns {
    const known = this.columns.get(at);
    if (known) return known;
    const start = new Uint32Array(this.p + 1);
    this.each(at, (_, j) => start[j + 1]++);
    for (let j = 0; j < this.p; j++) start[j + 1] += start[j];
    const next = start.slice();
    const index = new Uint32Array(start[this.p]);
    const weight = new Float32Array(start[this.p]);
    this.each(at, (c, j, value) => {
      index[next[j]] = c;
      weight[next[j]++] = value;
    });
    if (this.columns.size >= 8) this.columns.clear();
    const found = { start, index, weight };
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
