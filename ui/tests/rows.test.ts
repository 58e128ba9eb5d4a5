import { cleanup, render } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import type { Measured } from '../src/lib/server';
import EditRows from '../src/parts/EditRows.svelte';

afterEach(cleanup);

const row = (what: string, low: number, change: number, high: number) =>
  ({ kind: 'class', split: 'test', what, change, low, high, before: { value: 0.5, low: 0.4, high: 0.6, n: 10 }, after: { value: 0.5 + change, low: 0.4, high: 0.6, n: 10 } }) as Measured;

it('colours a change, number and bar, only where its interval leaves out zero', () => {
  render(EditRows, { rows: [row('recall of a', -0.01, 0.1, 0.2), row('recall of b', 0.01, 0.09, 0.2), row('recall of c', -0.2, -0.08, -0.01)] });
  const classes = [...document.querySelectorAll('tbody tr:has(rect)')].map((one) => [one.querySelector('td:nth-child(5)')!.classList[1], one.querySelector('rect')!.classList[0]]);
  expect(classes).toEqual([['quiet', 'quiet'], ['good', 'good'], ['bad', 'bad']]);
});
