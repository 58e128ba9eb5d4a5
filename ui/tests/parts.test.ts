import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { App } from '../src/lib/app.svelte';
import { Model } from '../src/lib/model';
import { formatRoute, parseRoute } from '../src/lib/route';
import type { AppData } from '../src/lib/schema';
import { fileSource, notebookSource, type DataSource } from '../src/lib/source';
import Marked from '../src/parts/Marked.svelte';
import Shell from '../src/Shell.svelte';
import { sample } from './sample';

const inFile = (data: AppData): DataSource => ({ kind: 'file', server: null, load: async () => data });

beforeEach(() => {
  location.hash = '';
  localStorage.clear();
});
afterEach(cleanup);

function open(hash: string, data = sample()): App {
  location.hash = hash;
  const app = new App(new Model(data), inFile(data));
  render(Shell, { app });
  return app;
}
const main = () => document.querySelector('main')!.textContent!.replace(/\s+/g, ' ');

describe('the address', () => {
  it('comes back as it went, whatever the key', () => {
    for (const id of ['3', 'images/a "b".png', '</script>', 'a?b#c', '100%', '🐱']) {
      expect(parseRoute(formatRoute('example', id, { off: '1,2' }))).toEqual({ screen: 'example', id, query: { off: '1,2' } });
    }
  });
  it('that nobody understands is the overview', () => {
    expect(parseRoute('#/nowhere/3').screen).toBe('overview');
    expect(() => formatRoute('example', 'lone \ud800')).not.toThrow();
  });
  it('names point and layer', () => {
    const app = open('#/overview?point=1&layer=dense');
    expect([app.at, app.dense]).toEqual([1, true]);
  });
});

describe('the screens', () => {
  it('say what the slider stands at', async () => {
    open('#/overview');
    expect(document.getElementById('sentence')!.textContent).toContain('70.0% test');
    await fireEvent.input(document.getElementById('sparsity')!, { target: { value: '1' } });
    expect(document.getElementById('sentence')!.textContent).toContain('60.0% test');
    expect(main()).toContain('60.0% of test');
  });
  it('show what comes from data as text', () => {
    open('#/class/2');
    expect(document.querySelector('main h1')!.textContent).toBe('<b>bird</b>');
    expect(document.querySelector('main h1 b')).toBeNull();
  });
  it('draw each without a fault, and say so where there is nothing', () => {
    for (const [hash, words] of [
      ['#/class', 'Open a class'],
      ['#/class/9', 'There is no class 9'],
      ['#/class/0', 'purring'],
      ['#/class/1?point=1', 'intercept alone'],
      ['#/feature', 'in use at this point'],
      ['#/feature/1?band=1', 'Words that move it'],
      ['#/feature/3', 'No class does'],
      ['#/feature/x', 'There is no feature x'],
      ['#/example', '4 examples'],
      ['#/example/nobody', 'not in the report'],
      ['#/errors', '1 of 4 test examples are called wrong'],
      ['#/errors?true=2&called=0', 'There is none of these'],
      ['#/about', 'Decision layers'],
    ]) {
      open(hash);
      expect(main(), hash).toContain(words);
      expect(main(), hash).not.toMatch(/NaN|undefined|cannot be drawn/);
      cleanup();
    }
  });
  it('say what was measured, and how surely', () => {
    const data = sample();
    const share = { value: 0.25, low: 0.125, high: 0.5, n: 4 };
    const card = data.features[0];
    Object.assign(card, {
      trust: [{ explanation: 'words', direction: 'high', accuracy: share, clear: true }],
      bands: [{ low: 0.4, high: 0.6, examples: [['c', 0.5]] }],
      pictures: [{ direction: 'max', method: 'm', image: 'data:image/jpeg;base64,AAAA', activation: 3, percentile: 99.5, failed: true }],
    });
    data.mended_by_one = share;
    data.classes[0].precision = share;
    data.classes[0].features = [{ feature: 1, weight: 2, share: 0.375 }];
    data.slices = [{ column: 'length', value: 'long', accuracy: share, recall: [null, share, { ...share, value: 0.75 }] }];
    data.model.layer = 'classifier.fc';
    data.data.metadata = ['length'];
    data.data.problems = [{ kind: 'empty text', count: 2, message: 'left out', examples: ['t/7'] }];
    data.findings = [
      { kind: 'leaning', key: 'k', title: 'a title', where: 'dog', evidence: 'e', effect: { what: 'w', ...share, unit: 'share' }, confirmed: true, p_value: 3e-4, mend: 'm', features: [], classes: [], examples: [], pattern: null },
    ];
    for (const [hash, ...words] of [
      ['#/class/0', 'Of the test examples called so, 25% are right.', '38% of the evidence for the class'],
      ['#/class/0?point=1', '(at the chosen layer)'],
      ['#/feature/1', 'Between the ends: 1 example', '+0.5 σ, quantile 40% to 60%', '✗ failed, +3.0 σ, above 99.5% of real ones'],
      ['#/errors', '25.0% of the chosen layer’s test errors', 'Class found least', 'dog 25%'],
      ['#/about', 'classifier.fc', 'length', '2 × empty text: left out; for example t/7', 'a class that leans on one feature', 'KKT', 'tolerance 1e−4', '2 cat, 1 dog', 'what a feature adds to a class’s lead'],
      ['#/overview', 'Leans on one feature · dog', 'p = 3e−4'],
    ]) {
      open(hash, data);
      for (const one of words) expect(main(), hash).toContain(one);
      cleanup();
    }
    open('#/class/0?point=1', data);
    expect(main()).not.toContain('of the evidence for the class');
  });
  it('compare on the examples that a file holds, and show commands as such', () => {
    const data = sample();
    const share = { value: 0.5, low: 0.25, high: 0.75, n: 4 };
    const changed = ['a', 'nowhere'].map((id) => ({ id, label: 'cat', before: 'dog', after: 'cat', outcome: 'mended' as const }));
    data.compare = [
      {
        name_a: 'one', name_b: 'other', n_common: 9, n_test: 4, min_correlation: 0.5, same_network: true, own: false,
        accuracies: [{ what: 'overall', name: 'all', a: share, b: share, difference: 0, low: -0.25, high: 0.25, p_value: 1, sure: false }],
        matches: [], n_matches: 0, only: [], n_only: { a: 0, b: 0 }, changed, n_changed: { mended: 2, broken: 0, 'other mistake': 0 }, findings: [],
        notes: ['There are none: `clearhead debug RUN` finds <b>them</b>, not a lone ` alone.'],
      },
    ];
    open('#/compare', data);
    expect([...document.querySelectorAll('main a.shown')].map((one) => one.getAttribute('href'))).toEqual([formatRoute('example', 'a')]);
    expect(main()).toContain('and 1 more');
    expect(main()).toContain('There are none: clearhead debug RUN finds <b>them</b>, not a lone ` alone.');
    expect(document.querySelector('main .note code')!.textContent).toBe('clearhead debug RUN');
  });
  it('switch a feature off, and the answer moves', async () => {
    open('#/example/d');
    expect(main()).toContain('called cat');
    await fireEvent.click(screen.getByLabelText('Feature 1 is on'));
    expect(main()).toContain('called dog');
    expect(main()).toContain('the answer changes from cat to dog');
    await fireEvent.click(screen.getByText('All on again'));
    expect(main()).not.toContain('the answer changes');
  });
  it('keep marks', async () => {
    const app = open('#/class/0');
    await fireEvent.click(screen.getAllByText('spurious')[0]);
    expect(app.markOf(0, 1)).toBe('spurious');
    expect(new App(app.model, inFile(app.model.data)).markOf(0, 1)).toBe('spurious');
  });
});

it('marked words are counted in characters, not in UTF-16 units', () => {
  render(Marked, { text: '🐱 purr a', spans: [[2, 6, 0.8]] });
  expect(document.querySelector('mark')!.textContent).toBe('purr');
});

it('all hosts read the same data, and none a newer schema', async () => {
  const text = JSON.stringify({ ...sample(), schema_version: 99 });
  document.body.innerHTML = '<script type="application/json" id="clearhead-data"></script>';
  document.getElementById('clearhead-data')!.textContent = text;
  await expect(fileSource(document)!.load()).rejects.toThrow('schema version 99');
  expect(notebookSource(document)).toBeNull();
  document.body.dataset.host = 'notebook';
  await expect(notebookSource(document)!.load()).rejects.toThrow('schema version 99');
  delete document.body.dataset.host;
  document.body.innerHTML = '';
  expect(fileSource(document)).toBeNull();
});
