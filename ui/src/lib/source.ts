// Where the data come from: the one thing in which the three hosts differ.
import { aroundFrame, Bridge } from './bridge';
import type { AppData } from './schema';
import { overHttp, Server } from './server';

export interface DataSource {
  readonly kind: 'file' | 'served' | 'notebook';
  /** Edits, names and work; a file has none. */
  readonly server: Server | null;
  load(): Promise<AppData>;
}

export const DATA_ID = 'clearhead-data';

declare global {
  /** The data of a report that is a folder, in parts that were scripts: file:// cannot fetch. */
  var clearheadParts: string[] | undefined;
}

/** One HTML file, in which the data stand as JSON; or a folder of parts. */
export function fileSource(page: Document): DataSource | null {
  const held = page.getElementById(DATA_ID);
  if (held === null && globalThis.clearheadParts === undefined) return null;
  return {
    kind: 'file',
    server: null,
    load: async () => {
      const count = page.body.dataset.parts;
      if (count === undefined) return parse(held?.textContent ?? '');
      const parts = globalThis.clearheadParts ?? [];
      if (parts.filter((part) => part !== undefined).length !== Number(count)) {
        throw new Error(`This report is a folder, and some of its ${count} files of data are not beside this page. Copy the whole folder.`);
      }
      return parse(parts.join(''));
    },
  };
}

/** `clearhead serve`: the same JSON from the page's own origin. */
export function servedSource(server: Server = new Server(overHttp)): DataSource {
  return { kind: 'served', server, load: async () => parse(await server.data()) };
}

/** A notebook's widget: the data stand in the page, and the kernel answers what a server would. */
export function notebookSource(page: Document): DataSource | null {
  const held = fileSource(page);
  if (held === null || page.body.dataset.host !== 'notebook') return null;
  const server = new Server(new Bridge(aroundFrame(window)));
  let first = true;
  return {
    kind: 'notebook',
    server,
    // Data that changed since the page was made come from the kernel.
    load: async () => {
      if (!first) return parse(await server.data());
      first = false;
      return held.load();
    },
  };
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
