// Edits that are put together in the page: in the address, as words, and as `clearhead edit --file` reads them.
import type { Model } from './model';

export type Action = 'zero' | 'scale' | 'ban' | 'reweight' | 'finding' | 'refit' | 'calibrate';
export const ACTIONS: readonly Action[] = ['zero', 'scale', 'ban', 'reweight', 'finding', 'refit', 'calibrate'];

export interface Draft {
  action: Action;
  features: number[];
  /** By index; empty: all of them. */
  classes: number[];
  /** Of `scale`. */
  factor?: number;
  /** Of `reweight`: a metadata column, or none for the classes themselves. */
  column?: string;
  value?: string;
  /** Of `finding`: its key. */
  finding?: string;
}

export const draft = (action: Action, features: number[] = [], classes: number[] = [], more: Partial<Draft> = {}): Draft => ({ action, features, classes, ...more });

/** `scale:4,7:2:0.5~ban:9`: action, features, classes, and what else it takes. */
export function formatDrafts(drafts: Draft[]): string {
  return drafts
    .map(({ action, features, classes, factor, column, value, finding }) => {
      const last = action === 'scale' ? String(factor ?? 0.5) : action === 'reweight' ? [column, value].filter((part) => part !== undefined).map(escape).join('=') : (finding ?? '');
      return [action, features.join(','), classes.join(','), last].join(':').replace(/:+$/, '');
    })
    .join('~');
}

export function parseDrafts(text: string): Draft[] {
  const found: Draft[] = [];
  for (const part of text.split('~')) {
    const [action, features = '', classes = '', ...rest] = part.split(':');
    if (!ACTIONS.includes(action as Action)) continue;
    const last = rest.join(':');
    const one = draft(action as Action, numbers(features), numbers(classes));
    if (action === 'scale') one.factor = Number.isFinite(Number(last)) ? Number(last) : 0.5;
    if (action === 'finding') one.finding = last;
    if (action === 'reweight' && last) {
      const [column, value] = last.split('=');
      one.column = unescape(column);
      if (value !== undefined) one.value = unescape(value);
    }
    found.push(one);
  }
  return found;
}

const numbers = (text: string): number[] => text.split(',').filter((one) => /^\d+$/.test(one)).map(Number);
const escape = (text: string | undefined): string => encodeURIComponent(text ?? '').replaceAll('~', '%7E').replaceAll('.', '%2E');
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Why an edit cannot be made as it is; null: it can. */
export function problem(one: Draft, model: Model): string | null {
  if (['zero', 'scale', 'ban'].includes(one.action) && !one.features.length) return 'Say which features, by number.';
  const unknown = one.features.find((j) => j >= model.p);
  if (unknown !== undefined) return `There is no feature ${unknown}: the network has ${model.p}, counted from 0.`;
  if (one.classes.some((c) => c >= model.K)) return 'There is no such class.';
  if (one.action === 'finding' && !model.data.findings.some((finding) => finding.key === one.finding)) return 'This run has no such finding (any more).';
  return null;
}

export function describe(one: Draft, model: Model): string {
  const names = one.features.map((j) => model.feature.get(j)?.name ? `${j} (${model.feature.get(j)?.name})` : String(j)).join(', ');
  const which = `${one.features.length === 1 ? 'feature' : 'features'} ${names}`;
  const whom = one.classes.length ? ` for ${one.classes.map((c) => model.className(c)).join(', ')}` : '';
  if (one.action === 'zero') return `Switch off ${which}${whom}`;
  if (one.action === 'scale') return `Multiply ${which} by ${one.factor}${whom}`;
  if (one.action === 'ban') return `Ban ${which}${whom}, and solve again`;
  if (one.action === 'refit') return 'Refit the weights without the penalty';
  if (one.action === 'calibrate') return 'Choose a temperature on validation';
  if (one.action === 'finding') {
    const rank = model.data.findings.findIndex((finding) => finding.key === one.finding);
    return `Mend finding ${rank + 1}: ${model.data.findings[rank]?.title ?? one.finding}`;
  }
  if (one.column === undefined) return `Let all classes count alike${whom}, and solve again`;
  return `Let ${one.value === undefined ? `the values of ${one.column}` : `${one.column} = ${one.value}`} count alike${whom}, and solve again`;
}

/** As an edit file holds it. */
export function change(one: Draft, model: Model): Record<string, unknown> {
  const classes = one.classes.length ? { classes: one.classes.map((c) => model.className(c)) } : {};
  if (one.action === 'finding') return { action: 'finding', finding: one.finding };
  if (one.action === 'refit' || one.action === 'calibrate') return { action: one.action };
  if (one.action === 'reweight') {
    const column = one.column === undefined ? {} : { column: one.column };
    return { action: 'reweight', ...column, ...(one.value === undefined ? {} : { value: one.value }), ...classes };
  }
  const factor = one.action === 'scale' ? { factor: one.factor } : {};
  return { action: one.action, features: one.features, ...factor, ...classes };
}

/** What `clearhead edit RUN --file` takes. */
export const editFile = (drafts: Draft[], model: Model): string =>
  `${JSON.stringify({ layer: model.data.layer_fingerprint, edits: drafts.map((one) => change(one, model)) }, null, 1)}\n`;
