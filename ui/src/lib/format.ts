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

export const whole = (value: number): string => value.toLocaleString('en');

/** 5.2, 12, 1,280: features a class. */
export const amount = (value: number): string =>
  value >= 100 || Number.isInteger(value) ? whole(Math.round(value)) : value.toFixed(1);

/** 3e-5 */
export const tiny = (value: number | null | undefined): string =>
  known(value) ? value.toExponential(0).replace('e-', 'e−') : DASH;

export const interval = (e: Estimate): string => `95% interval ${percent(e.low)} to ${percent(e.high)}, n = ${whole(e.n)}`;

export const plural = (n: number, one: string, more = `${one}s`): string => `${whole(n)} ${n === 1 ? one : more}`;

/** Cut a long text at a word, for a preview; the whole is always one step away. */
export function short(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  const space = cut.lastIndexOf(' ');
  return `${(space > most / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}
