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
