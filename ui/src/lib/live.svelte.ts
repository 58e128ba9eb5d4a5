// What a host with a server adds: work with progress, notes that all tabs share, data that change.
import { SvelteMap } from 'svelte/reactivity';
import type { CompareCard } from './schema';
import { ended, Refused, type Edits, type Job, type Notes, type Parts, type Server } from './server';

interface Heard {
  notes(notes: Notes): void;
  /** The run's data have changed. */
  reload(): Promise<void>;
}

/** Work that changes the data step by step. */
const STEPS = ['select', 'explain', 'debug', 'analyze'];

export class Live {
  connected = $state(true);
  /** Something that a person should know, until it is closed. */
  message: string | null = $state(null);
  readonly jobs = new SvelteMap<number, Job>();
  edits: Edits | null = $state.raw(null);
  /** Other layers and runs beside this one; null: not read yet. */
  compare: CompareCard[] | null = $state.raw(null);
  readonly running: Job[] = $derived([...this.jobs.values()].filter((job) => !ended(job)));
  /** The data changed while work on them goes on: they are loaded when it ends. */
  private owed = false;
  private notesVersion = 'none';
  private parts: Parts | null = null;
  private readonly waiting = new Map<number, (job: Job) => void>();

  constructor(
    readonly server: Server,
    private readonly heard: Heard,
  ) {}

  async begin(): Promise<void> {
    this.server.transport.events(
      'api/events',
      (name, data) => this.hear(name, JSON.parse(data)),
      (open) => (this.connected = open),
    );
    await this.quietly(Promise.all([this.readNotes(), this.readEdits()]));
  }

  /** Do work, wait for it, and give its result; `started` is told its number. */
  async work<T>(wanted: Record<string, unknown>, started: (job: Job) => void = () => undefined): Promise<T> {
    const job = await this.server.post<Job>('api/jobs', wanted);
    if (!this.jobs.has(job.id)) this.jobs.set(job.id, job);
    started(job);
    const known = this.jobs.get(job.id)!;
    if (!ended(known)) await new Promise<Job>((resolve) => this.waiting.set(job.id, resolve));
    const whole = await this.server.get<Job>(`api/jobs/${job.id}`);
    if (whole.state === 'done') return whole.result as T;
    if (whole.state === 'cancelled') throw new Refused(0, 'cancelled', 'It was cancelled; nothing was changed.');
    throw new Refused(0, whole.error?.code ?? 'job', whole.error?.message ?? 'It failed.');
  }

  async cancel(id: number): Promise<void> {
    await this.quietly(this.server.post(`api/jobs/${id}/cancel`));
  }

  /** Change a note; another tab's change is shown instead of being undone. */
  async note(feature: number, what: 'name' | 'mark', body: unknown): Promise<boolean> {
    try {
      this.take(await this.server.put<Notes>(`api/notes/${feature}/${what}`, body, this.notesVersion));
      return true;
    } catch (error) {
      await this.readNotes().catch(() => undefined);
      const changed = error instanceof Refused && error.status === 412;
      this.message = changed
        ? 'Another tab or program changed names or marks in the meantime. They are shown now as they are; yours was not kept: make it again.'
        : `It was not kept: ${error instanceof Error ? error.message : error}`;
      return false;
    }
  }

  async readEdits(): Promise<void> {
    this.edits = await this.server.get<Edits>('api/edits');
  }

  async readCompare(): Promise<void> {
    this.compare = await this.server.get<CompareCard[]>('api/compare');
  }

  private async readNotes(): Promise<void> {
    this.take(await this.server.get<Notes>('api/notes'));
  }

  private take(notes: Notes): void {
    this.notesVersion = notes.version;
    this.heard.notes(notes);
  }

  private hear(name: string, value: any): void {
    this.connected = true;
    if (name === 'job') this.hearJob(value as Job);
    else if (name === 'run') void this.quietly(this.hearRun(value));
  }

  private hearJob(job: Job): void {
    this.jobs.set(job.id, job);
    if (!ended(job)) return;
    if (this.owed && STEPS.includes(job.kind)) void this.quietly(this.reload().then(() => this.readNotes()));
    this.waiting.get(job.id)?.(job);
    this.waiting.delete(job.id);
  }

  private async hearRun({ version, parts }: { version: string; parts: Parts }): Promise<void> {
    const before = this.parts;
    this.parts = parts;
    const stale = before === null ? this.server.version !== null && this.server.version !== version : before.data !== parts.data;
    if (stale && this.running.some((job) => STEPS.includes(job.kind))) this.owed = true;
    else if (stale) await this.reload();
    if (stale || before?.notes !== parts.notes) await this.readNotes();
    if (stale || before?.edits !== parts.edits) {
      this.compare = null;
      await this.readEdits();
    }
  }

  private async reload(): Promise<void> {
    this.owed = false;
    await this.heard.reload();
    this.message = 'The run has changed: this is what it is now.';
  }

  private async quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (error instanceof Refused && error.status === 0) this.connected = false;
      else this.message = error instanceof Error ? error.message : String(error);
    }
  }
}
