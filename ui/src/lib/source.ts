// Where the data come from: the one thing in which the three hosts differ.
import type { AppData } from './schema';

export interface DataSource {
  /** What the host can do: edit and re-solve when served, only show when it is a file. */
  readonly kind: 'file' | 'served' | 'notebook';
  load(): Promise<AppData>;
}

export const DATA_ID = 'clearhead-data';

/** One HTML file: the data stand in it as JSON. */
export function fileSource(page: Document): DataSource | null {
  const held = page.getElementById(DATA_ID);
  if (held === null) return null;
  return { kind: 'file', load: async () => parse(held.textContent ?? '') };
}

/** `clearhead serve`: the same JSON from the page's own origin. */
export function servedSource(address = 'api/app.json'): DataSource {
  return {
    kind: 'served',
    load: async () => {
      const answer = await fetch(address, { credentials: 'same-origin' });
      if (!answer.ok) throw new Error(`The server answered ${answer.status} for ${address}.`);
      return parse(await answer.text());
    },
  };
}

/** A notebook's widget: the data stand in the page, and the kernel answers what a server would. */
export function notebookSource(page: Document): DataSource | null {
  const held = fileSource(page);
  return held === null || page.body.dataset.host !== 'notebook' ? null : { ...held, kind: 'notebook' };
}

export const SCHEMA_VERSION = 1;

function parse(text: string): AppData {
  const data = JSON.parse(text) as AppData;
  if (data.schema_version > SCHEMA_VERSION) {
    throw new Error(
      `These data are of schema version ${data.schema_version}; this page reads up to ${SCHEMA_VERSION}. ` +
        'Make the report again with the clearhead that made the run.',
    );
  }
  return data;
}
