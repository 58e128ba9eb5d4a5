// The state of the app: where we are, which layer is shown, and what people said.
import { SvelteMap } from 'svelte/reactivity';
import { formatDrafts, parseDrafts, type Draft } from './drafts';
import { Live } from './live.svelte';
import { Model, type View } from './model';
import { formatRoute, parseRoute, type Route, type Screen } from './route';
import type { FarExample, Mark, Notes } from './server';
import type { DataSource } from './source';

export type { Mark };

export class App {
  /** Replaced as a whole when the run's data change. */
  model: Model = $state.raw()!;
  readonly host: DataSource['kind'];
  readonly live: Live | null;
  route: Route = $state.raw(parseRoute(''));
  at = $state(0);
  dense = $state(false);
  /** class:feature → mark. */
  marks: Record<string, Mark> = $state({});
  /** Edits that were put together and not made yet. */
  drafts: Draft[] = $state.raw([]);
  readonly view: View = $derived({ at: this.at, dense: this.dense });
  /** Examples that were asked for, and whether the answer is there. */
  private readonly wanted = new SvelteMap<string, boolean>();
  private readonly asking = new Set<string>();
  private names: Record<string, string> = {};
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The fragment that was read or written last. */
  private address = '';

  constructor(model: Model, source: DataSource) {
    this.model = model;
    this.host = source.kind;
    this.at = model.selected;
    this.live = source.server && new Live(source.server, { notes: (notes) => this.take(notes), reload: async () => this.replace(new Model(await source.load())) });
    model.remote = this.live !== null;
    if (this.live === null) this.readKept();
    this.read();
  }

  /** Show other data; a chosen point of the path stays where it was. */
  private replace(model: Model): void {
    const now = model.data.path.selected;
    const atSelected = this.at === this.model.selected || this.model.data.along.points[this.at] === now;
    const point = this.model.data.along.points[this.at];
    const found = model.data.along.points.indexOf(point);
    this.wanted.clear();
    this.asking.clear();
    model.remote = this.live !== null;
    this.model = model;
    this.at = atSelected || found < 0 ? model.selected : found;
    this.write();
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
    this.address = location.hash;
    this.route = parseRoute(this.address);
    const at = this.model.data.along.points.indexOf(Number(this.route.query.point ?? NaN));
    if (at >= 0) this.at = at;
    if (this.route.query.layer) this.dense = this.route.query.layer === 'dense';
    if (this.route.screen === 'edit' && this.route.query.edits !== undefined) this.drafts = parseDrafts(this.route.query.edits);
    this.write();
  }

  /** Where an edit is put together with those that are there already. */
  editLink(draft: Draft): string {
    return formatRoute('edit', null, { edits: formatDrafts([...this.drafts, draft]) });
  }

  setDrafts(drafts: Draft[]): void {
    this.drafts = drafts;
    this.query({ edits: drafts.length ? formatDrafts(drafts) : null });
  }

  mark(c: number, feature: number, mark: Mark | null): void {
    const key = `${c}:${feature}`;
    if (mark === null) delete this.marks[key];
    else this.marks[key] = mark;
    if (this.live === null) this.keep();
    else void this.live.note(feature, 'mark', { class_name: this.model.className(c), mark });
  }

  markOf(c: number, feature: number): Mark | null {
    return this.marks[`${c}:${feature}`] ?? null;
  }

  async name(feature: number, name: string | null): Promise<void> {
    if (this.live === null) {
      if (name === null) delete this.names[feature];
      else this.names[feature] = name;
      this.model.rename(feature, name);
      this.keep();
    } else await this.live.note(feature, 'name', { name });
  }

  /** How many names and marks were given here. */
  get said(): number {
    return Object.keys(this.names).length + Object.keys(this.marks).length;
  }

  /** Names and marks as the run keeps them, in notes.json. */
  notesFile(): string {
    const features: Record<string, { name?: string; marks?: Record<string, Mark> }> = {};
    for (const [feature, name] of Object.entries(this.names)) features[feature] = { name };
    for (const [key, mark] of Object.entries(this.marks)) {
      const [c, feature] = key.split(':').map(Number);
      (features[feature] ??= {}).marks = { ...features[feature].marks, [this.model.className(c)]: mark };
    }
    return JSON.stringify({ features }, null, 1);
  }

  /** Ask for an example that is not in the data, together with others that are wanted now. */
  need(key: string): void {
    if (this.live === null || this.wanted.has(key)) return;
    this.wanted.set(key, false);
    setTimeout(() => void this.fetchWanted(), 30);
  }

  /** Whether an example is being asked for. */
  waits(key: string): boolean {
    return this.wanted.get(key) === false;
  }

  private async fetchWanted(): Promise<void> {
    const keys = [...this.wanted].flatMap(([key, asked]) => (asked || this.asking.has(key) ? [] : [key])).slice(0, 500);
    if (!keys.length) return;
    const { model } = this;
    keys.forEach((key) => this.asking.add(key));
    try {
      for (const card of await this.live!.server.post<FarExample[]>('api/examples', { keys })) model.add(card);
    } catch {
      // What is not there is shown as such.
    }
    keys.forEach((key) => this.wanted.set(key, true));
  }

  /** Names and marks of the run, whoever gave them. */
  private take(notes: Notes): void {
    const marks: Record<string, Mark> = {};
    const index = new Map(this.model.data.data.class_names.map((name, c) => [name, c]));
    const names: Record<string, string> = {};
    for (const [feature, note] of Object.entries(notes.features)) {
      if (note.name !== null) names[feature] = note.name;
      for (const [name, mark] of Object.entries(note.marks)) if (index.has(name)) marks[`${index.get(name)}:${feature}`] = mark;
    }
    for (const feature of new Set([...Object.keys(names), ...Object.keys(this.names)])) {
      this.model.rename(Number(feature), names[feature] ?? null);
    }
    this.names = names;
    this.marks = marks;
  }

  /** The address follows the view; not at every step of the slider, which browsers refuse. */
  private write(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // A link was followed, and is about to be read: it must not be overwritten.
      if (location.hash !== this.address) return;
      const { screen, id, query } = this.route;
      const own = Object.fromEntries(Object.entries(query).filter(([key]) => key !== 'point' && key !== 'layer'));
      const moved: Record<string, string> = this.at === this.model.selected ? {} : { point: String(this.model.data.along.points[this.at]) };
      const layer: Record<string, string> = this.dense ? { layer: 'dense' } : {};
      try {
        history.replaceState(null, '', formatRoute(screen, id, { ...own, ...moved, ...layer }));
        this.address = location.hash;
      } catch {
        // about:srcdoc in a notebook has no address to write.
      }
    }, 150);
  }

  private get storage(): string {
    return `clearhead:${this.model.data.model.fingerprint}:${this.model.data.data.fingerprint}`;
  }

  private keep(): void {
    try {
      localStorage.setItem(this.storage, JSON.stringify({ marks: this.marks, names: this.names }));
    } catch {
      // A page that may store nothing keeps them until it is closed.
    }
  }

  private readKept(): void {
    try {
      const kept = JSON.parse(localStorage.getItem(this.storage) ?? '{}');
      this.marks = kept.marks ?? {};
      this.names = kept.names ?? {};
      for (const [feature, name] of Object.entries(this.names)) this.model.rename(Number(feature), name);
    } catch {
      // Nothing was kept, or nothing may be.
    }
  }
}
