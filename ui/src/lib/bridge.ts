// In a notebook's widget the page asks the kernel by messages, the same questions as the server.
interface Answer {
  id: number;
  status?: number;
  headers?: Record<string, string>;
  /** base64 */
  chunk?: string;
  more?: boolean;
}
interface Asked {
  start(status: number, headers: Record<string, string>): void;
  take(chunk: Uint8Array, more: boolean): void;
}

/** Where questions go: the notebook's page around this frame. */
export interface Around {
  post(message: unknown): void;
  listen(heard: (answer: Answer) => void): void;
}

export function aroundFrame(frame: Window): Around {
  return {
    post: (message) => frame.parent.postMessage(message, '*'),
    listen: (heard) =>
      frame.addEventListener('message', (event: MessageEvent) => {
        if (event.source === frame.parent && event.data?.from === 'clearhead') heard(event.data.answer);
      }),
  };
}

/** Questions to the kernel as a browser asks a server. */
export class Bridge {
  private next = 1;
  private readonly asked = new Map<number, Asked>();
  private readonly around: Around;

  constructor(around: Around) {
    this.around = around;
    around.listen((answer) => this.heard(answer));
  }

  /** As `fetch`, for addresses of the app. */
  fetch = (address: string, init: RequestInit = {}): Promise<Response> =>
    new Promise((resolve) => {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      let found = { status: 200, headers: {} as Record<string, string> };
      this.ask(address, init, {
        start: (status, headers) => (found = { status, headers }),
        take: (chunk, more) => {
          chunks.push(new Uint8Array(chunk));
          if (!more) resolve(new Response(found.status === 204 ? null : new Blob(chunks), found));
        },
      });
    });

  /** As `EventSource`: calls back with the name and the data of each event. */
  events(address: string, heard: (name: string, data: string) => void): void {
    const text = new TextDecoder();
    let held = '';
    this.ask(address, {}, {
      start: () => undefined,
      take: (chunk) => {
        held += text.decode(chunk, { stream: true });
        const whole = held.split('\n\n');
        held = whole.pop() ?? '';
        for (const event of whole) {
          const name = /^event: (.*)$/m.exec(event)?.[1];
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (name !== undefined && data !== undefined) heard(name, data);
        }
      },
    });
  }

  private ask(address: string, init: RequestInit, asked: Asked): void {
    const id = this.next++;
    this.asked.set(id, asked);
    const headers = Object.fromEntries(new Headers(init.headers).entries());
    const path = address.startsWith('/') ? address : `/${address}`;
    this.around.post({ to: 'clearhead', question: { id, method: init.method ?? 'GET', path, headers, body: init.body ?? null } });
  }

  private heard(answer: Answer): void {
    const asked = this.asked.get(answer.id);
    if (asked === undefined) return;
    if (answer.status !== undefined) asked.start(answer.status, answer.headers ?? {});
    if (answer.chunk === undefined) return;
    if (!answer.more) this.asked.delete(answer.id);
    asked.take(Uint8Array.from(atob(answer.chunk), (c) => c.charCodeAt(0)), answer.more ?? false);
  }
}
