// Numbers and words as a person reads them. What is not a number is a dash.
import type { Estimate } from './schema';

const DASH = '–';
const known = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && Number.isFinite(value);

export const percent = (share: number | null | undefined, digits = 1): string =>
  known(share) ? `${(100 * share).toFixed(digits)}%` : DASH;

/** With a real minus sign, and always a sign, but of what rounds to zero. */
export function signed(value: number | null | undefined, digits = 2): string {
  if (!known(value)) return DASH;
  const size = Math.abs(value).toFixed(digits);
  return Number(size) === 0 ? size : `${value < 0 ? '−' : '+'}${size}`;
}

export const plain = (value: number | null | undefined, digits = 1): string =>
  known(value) ? value.toFixed(digits).replace('-', '−') : DASH;

/** Words with numbers in them, with real minus signs; hyphens and names stay. */
export const minus = (words: string): string => words.replace(/(^|[\s(])-(?=\d)/g, '$1−');

export const whole = (value: number): string => value.toLocaleString('en');

/** 5.2, 12, 1,280: features a class. */
export const amount = (value: number): string =>
  value >= 100 || Number.isInteger(value) ? whole(Math.round(value)) : value.toFixed(1);

/** 3e−5; with digits 2: 3.07e−5 */
export const tiny = (value: number | null | undefined, digits = 0): string =>
  known(value) ? value.toExponential(digits).replaceAll('-', '−') : DASH;

/** Which way a value goes, in colour and shape; of what is not sure, or rounds to zero, neither. */
export function direction(value: number, digits: number, sure = true): { way: 'up' | 'down' | 'quiet'; arrow: string } {
  if (!sure || Number(value.toFixed(digits)) === 0) return { way: 'quiet', arrow: '' };
  return value < 0 ? { way: 'down', arrow: '▼ ' } : { way: 'up', arrow: '▲ ' };
}

export const interval = (e: Estimate): string => `95% interval ${percent(e.low)} to ${percent(e.high)}, n = ${whole(e.n)}`;

export const plural = (n: number, one: string, more = `${one}s`): string => `${whole(n)} ${n === 1 ? one : more}`;

/** Cut a long text at a word, for a preview; the whole is always one step away. */
export function short(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  const space = cut.lastIndexOf(' ');
  return `${(space > most / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}
