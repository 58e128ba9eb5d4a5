// The state of the app: where we are, which layer is shown, and what people marked.
import { Model, type View } from './model';
import { formatRoute, parseRoute, type Route, type Screen } from './route';
import type { DataSource } from './source';

export type Mark = 'core' | 'spurious' | 'unsure';

export class App {
  readonly model: Model;
  readonly host: DataSource['kind'];
  route: Route = $state.raw(parseRoute(''));
  at = $state(0);
  dense = $state(false);
  /** class:feature → mark. */
  marks: Record<string, Mark> = $state({});
  readonly view: View = $derived({ at: this.at, dense: this.dense });
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, host: DataSource['kind']) {
    this.model = model;
    this.host = host;
    this.at = model.selected;
    this.marks = this.keptMarks();
    this.read();
  }

  /** Show a point of the path, sparse. */
  show(at: number): void {
    this.dense = false;
    this.at = Math.min(this.model.path.length - 1, Math.max(0, at));
    this.write();
  }

  setDense(dense: boolean): void {
    this.dense = dense;
    this.write();
  }

  /** Change what the screen shows beside its subject, without a step back in the history. */
  query(changes: Record<string, string | null>): void {
    const query = { ...this.route.query };
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete query[key];
      else query[key] = value;
    }
    this.route = { ...this.route, query };
    this.write();
  }

  go(screen: Screen, id: string | number | null = null, query: Record<string, string> = {}): void {
    location.hash = formatRoute(screen, id, query);
  }

  /** Take over what the address says; a link without point or layer keeps those shown. */
  read(): void {
    this.route = parseRoute(location.hash);
    const at = this.model.data.along.points.indexOf(Number(this.route.query.point ?? NaN));
    if (at >= 0) this.at = at;
    if (this.route.query.layer) this.dense = this.route.query.layer === 'dense';
    this.write();
  }

  mark(c: number, feature: number, mark: Mark | null): void {
    const key = `${c}:${feature}`;
    if (mark === null) delete this.marks[key];
    else this.marks[key] = mark;
    try {
      localStorage.setItem(this.storage, JSON.stringify(this.marks));
    } catch {
      // A page that may store nothing keeps the marks until it is closed.
    }
  }

  markOf(c: number, feature: number): Mark | null {
    return this.marks[`${c}:${feature}`] ?? null;
  }

  /** The address follows the view; not at every step of the slider, which browsers refuse. */
  private write(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { screen, id, query } = this.route;
      const { point: _point, layer: _layer, ...own } = query;
      const moved = this.at === this.model.selected ? {} : { point: String(this.model.data.along.points[this.at]) };
      const layer = this.dense ? { layer: 'dense' } : {};
      try {
        history.replaceState(null, '', formatRoute(screen, id, { ...own, ...moved, ...layer }));
      } catch {
        // about:srcdoc in a notebook has no address to write.
      }
    }, 150);
  }

  private get storage(): string {
    return `clearhead:${this.model.data.model.fingerprint}:${this.model.data.data.fingerprint}`;
  }

  private keptMarks(): Record<string, Mark> {
    try {
      return JSON.parse(localStorage.getItem(this.storage) ?? '{}');
    } catch {
      return {};
    }
  }
}
