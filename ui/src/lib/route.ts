// The whole view is in the address's fragment, so that a link shows what I see.
export const SCREENS = ['overview', 'class', 'feature', 'example', 'errors', 'edit', 'compare', 'bias', 'study', 'about'] as const;
export type Screen = (typeof SCREENS)[number];

export interface Route {
  screen: Screen;
  /** Class, feature or example; null: the screen's list. */
  id: string | null;
  /** What else the screen shows: `off=3,17`, `true=1`. */
  query: Record<string, string>;
}

/** `#/class/3?at=24` and the like; what is not understood is the overview. */
export function parseRoute(fragment: string): Route {
  const [path, search = ''] = fragment.replace(/^#?\/?/, '').split('?', 2);
  const [screen, ...rest] = path.split('/');
  const query = Object.fromEntries(new URLSearchParams(search));
  if (!SCREENS.includes(screen as Screen)) return { screen: 'overview', id: null, query };
  return { screen: screen as Screen, id: rest.length ? decode(rest.join('/')) : null, query };
}

export function formatRoute(screen: Screen, id: string | number | null = null, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  const path = id === null ? `#/${screen}` : `#/${screen}/${encode(String(id))}`;
  return search ? `${path}?${search}` : path;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A lone surrogate has no address. */
const encode = (text: string): string => encodeURIComponent(text.replace(LONE, '\ufffd'));
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
