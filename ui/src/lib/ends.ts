// The examples at the ends of a feature.
import { hasContent, type Model } from './model';

export interface End {
  key: string;
  z: number;
}

/**
 * Examples that activate feature `j` most (sign 1) or least (−1).
 *
 * Those that the run kept for it, of all its data; for a feature that the chosen layer does not use,
 * the most extreme of the examples in the file.
 */
export function examplesOf(model: Model, j: number, sign: number, most: number): End[] {
  const card = model.feature.get(j);
  const kept = card && (sign > 0 ? card.highest : card.lowest);
  if (kept?.length) return kept.slice(0, most).map(([key, z]) => ({ key, z }));
  return sortedEnds(model, j, sign).slice(0, most);
}

/** Whether there is something to show of an example; a server is asked for what is not in the data. */
export function canShow(model: Model, key: string): boolean {
  const card = model.example.get(key);
  return model.remote || (card !== undefined && hasContent(card));
}

/** The first `most` examples that can be shown, and how many cannot. */
export function showable(model: Model, keys: string[], most: number): { shown: string[]; missing: number } {
  const shown = keys.filter((key) => canShow(model, key));
  return { shown: shown.slice(0, most), missing: keys.length - shown.length };
}

/** The examples in the file that can be shown, by activation. */
export function sortedEnds(model: Model, j: number, sign: number): End[] {
  const z = model.activations(j);
  if (z === null) return [];
  const { keys } = model.data.along;
  return keys
    .map((key, row) => ({ key, z: z[row] }))
    .filter(({ key }) => canShow(model, key))
    .sort((a, b) => sign * (b.z - a.z));
}
