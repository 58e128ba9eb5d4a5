// What answers beyond the run's data: `clearhead serve`, or a notebook's kernel.
import type { AppData, ExampleCard } from './schema';

/** How questions travel: over HTTP, or as messages to a notebook's kernel (bridge.ts). */
export interface Transport {
  fetch(address: string, init?: RequestInit): Promise<Response>;
  /** Calls back with each server-sent event; `connected` says when the connection comes and goes. */
  events(address: string, heard: (name: string, data: string) => void, connected?: (open: boolean) => void): void;
}

export const overHttp: Transport = {
  fetch: (address, init = {}) => fetch(address, { credentials: 'same-origin', ...init }),
  events: (address, heard, connected) => {
    const stream = new EventSource(address);
    for (const name of ['job', 'run']) stream.addEventListener(name, (event) => heard(name, (event as MessageEvent<string>).data));
    stream.onopen = () => connected?.(true);
    // The browser tries again by itself, and the server then tells all states first.
    stream.onerror = () => connected?.(false);
  },
};

/** An answer that is an error: what was wrong, and the mend, in words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export type Mark = 'core' | 'spurious' | 'unsure';
export interface Note {
  name: string | null;
  /** By name of a class. */
  marks: Record<string, Mark>;
}
export interface Notes {
  version: string;
  features: Record<string, Note>;
}

export interface Job {
  id: number;
  kind: string;
  title: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  sequence: number;
  progress: { step: string; kind: string; message: string; done: number | null; total: number | null; unit: string } | null;
  warnings: string[];
  error: { code: string; message: string } | null;
  cancelling: boolean;
  seconds: number | null;
  result?: unknown;
}
export const ended = (job: Job): boolean => job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';

export interface Accuracy {
  value: number;
  low: number;
  high: number;
  n: number;
}
/** Share of right answers among some examples before and after an edit. */
export interface Measured {
  what: string;
  kind: 'all' | 'class' | 'slice' | 'pattern';
  split: string;
  before: Accuracy;
  after: Accuracy;
  change: number;
  low: number;
  high: number;
}
export interface EditResult {
  number: number | null;
  words: string[];
  rows: Measured[];
  features_before: number;
  features_after: number;
  certificate: string;
  n_changed: Record<string, number>;
  changed: Record<string, string[]>;
  warnings: string[];
  notes: string[];
}
export interface Edits {
  version: string;
  layer: string;
  /** There are edits of another layer: kept, and without effect. */
  void: boolean;
  done: number;
  steps: EditResult[];
}
export interface Tried {
  features: [number, number][];
  layers: Record<string, { logits: number[]; probabilities: number[]; predicted: number }>;
  image: string | null;
}
/** An example beyond those in the data, with the activations that decide about it. */
export type FarExample = ExampleCard & { features: [number, number][] };
export interface Parts {
  data: string;
  notes: string;
  edits: string;
}

export class Server {
  /** Of the data that were loaded last; null where they came with the page. */
  version: string | null = null;

  constructor(readonly transport: Transport) {}

  async data(): Promise<string> {
    const answer = await this.ask('GET', 'api/app.json');
    this.version = answer.headers.get('etag')?.replaceAll('"', '') ?? null;
    return answer.text();
  }
  async get<T>(address: string): Promise<T> {
    return (await (await this.ask('GET', address)).json()) as T;
  }
  async post<T>(address: string, body: unknown = {}): Promise<T> {
    return (await (await this.ask('POST', address, body)).json()) as T;
  }
  async put<T>(address: string, body: unknown, version: string): Promise<T> {
    return (await (await this.ask('PUT', address, body, { 'If-Match': `"${version}"` })).json()) as T;
  }
  /** A file that a job wrote. */
  async file(name: string): Promise<Blob> {
    return (await this.ask('GET', `api/exports/${encodeURIComponent(name)}`)).blob();
  }

  private async ask(method: string, address: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const init: RequestInit = { method, headers };
    if (body !== undefined) {
      init.headers = { ...headers, 'Content-Type': 'application/json' };
      init.body = JSON.stringify(body);
    }
    let answer: Response;
    try {
      answer = await this.transport.fetch(address, init);
    } catch {
      throw new Refused(0, 'connection', 'There is no connection. Is clearhead serve still running in its terminal?');
    }
    if (answer.ok) return answer;
    const said = await answer.json().then((value: any) => value?.error, () => null);
    throw new Refused(answer.status, said?.code ?? 'answer', said?.message ?? `The answer to ${address} was ${answer.status}.`);
  }
}

export type { AppData };
