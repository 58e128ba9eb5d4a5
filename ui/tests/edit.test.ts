import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { App } from '../src/lib/app.svelte';
import { draft, editFile, formatDrafts, parseDrafts, problem } from '../src/lib/drafts';
import { best, Model } from '../src/lib/model';
import { preview } from '../src/lib/preview';
import type { AppData } from '../src/lib/schema';
import { Server, type Job, type Transport } from '../src/lib/server';
import Shell from '../src/Shell.svelte';
import expected from './edits.json';
import { INTERCEPT, POINTS, sample, Z } from './sample';

beforeEach(() => {
  location.hash = '';
  localStorage.clear();
});
afterEach(async () => {
  cleanup();
  // The address follows the view a moment later.
  await new Promise((resolve) => setTimeout(resolve, 170));
});
const main = () => document.querySelector('main')!.textContent!.replace(/\s+/g, ' ');
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('edits that are put together', () => {
  const some = [draft('zero', [1, 4]), draft('scale', [2], [2], { factor: 0.5 }), draft('ban', [3]), draft('reweight'), draft('calibrate')];
  it('come back from the address, whatever their names', () => {
    const hard = [...some, draft('reweight', [], [], { column: 'a:b~c=d', value: '50% "x"' }), draft('finding', [], [], { finding: 'shortcut-1a' })];
    expect(parseDrafts(formatDrafts(hard))).toEqual(hard);
    expect(parseDrafts('format:1~zero:x,2')).toEqual([draft('zero', [2])]);
  });
  it('are the file that the command line takes', () => {
    expect(JSON.parse(editFile(some, new Model(sample())))).toEqual(expected);
  });
  it('say what is wrong with them', () => {
    const model = new Model(sample());
    expect(problem(draft('zero', [5]), model)).toContain('no feature 5');
    expect(problem(draft('ban'), model)).toContain('which features');
    expect(problem(draft('finding', [], [], { finding: 'gone' }), model)).toContain('no such finding');
    expect(problem(draft('calibrate'), model)).toBeNull();
  });
});

it('a preview is what the formula gives', () => {
  const model = new Model(sample());
  const found = preview(model, [draft('zero', [1]), draft('scale', [4], [1], { factor: 2 })]);
  const factor = (c: number, j: number) => (j === 1 ? 0 : j === 4 && c === 1 ? 2 : 1);
  const scores = (row: number, edited: boolean) =>
    INTERCEPT[2].map((bias, c) => Object.entries(POINTS[2]).reduce((sum, [key, weight]) => {
      const [k, j] = key.split(',').map(Number);
      return k === c ? sum + (edited ? factor(c, j) : 1) * weight * Z[row][j] : sum;
    }, bias));
  const labels = model.data.along.labels;
  const right = (edited: boolean) => labels.filter((label, row) => best(scores(row, edited)) === label).length / labels.length;
  expect(found.rows[0].before.value).toBe(right(false));
  expect(found.rows[0].after.value).toBe(right(true));
  expect(found.changed).toEqual(model.data.along.keys.filter((_, row) => best(scores(row, true)) !== best(scores(row, false))));
  expect(found.changed.length).toBeGreaterThan(0);
});

/** A server that answers from a table, and remembers what it was asked. */
function served(answers: Record<string, (body: any, headers: Headers) => [number, unknown]>) {
  const asked: [string, any][] = [];
  let heard: (name: string, data: string) => void = () => undefined;
  let connected: (open: boolean) => void = () => undefined;
  const transport: Transport = {
    fetch: async (address, init = {}) => {
      const key = `${init.method} ${address}`;
      const body = init.body ? JSON.parse(String(init.body)) : null;
      asked.push([key, body]);
      const [status, value] = answers[key]?.(body, new Headers(init.headers)) ?? [404, { error: { code: 'address', message: `nothing at ${key}` } }];
      return new Response(JSON.stringify(value), { status });
    },
    events: (_, listen, open) => ([heard, connected] = [listen, open ?? connected]),
  };
  return { server: new Server(transport), asked, say: (name: string, value: unknown) => heard(name, JSON.stringify(value)), connected: (open: boolean) => connected(open) };
}
const NOTES = { version: 'v1', features: { 1: { name: 'from a shell', marks: { cat: 'core' } } } };
const EDITS = { version: 'e1', layer: 'layer', void: false, done: 0, steps: [] };
const basic = { 'GET api/notes': () => [200, NOTES] as [number, unknown], 'GET api/edits': () => [200, EDITS] as [number, unknown] };

async function open(hash: string, answers: Parameters<typeof served>[0], data: AppData = sample()) {
  location.hash = hash;
  const host = served({ ...basic, ...answers });
  const app = new App(new Model(data), { kind: 'served', server: host.server, load: async () => ({ ...data, name: 'anew' }) });
  render(Shell, { app });
  await app.live!.begin();
  await settled();
  return { app, ...host };
}

describe('with a server', () => {
  it('names and marks of the run are shown, and changes go there with the version', async () => {
    const versions: (string | null)[] = [];
    const { app, asked } = await open('#/feature/1', {
      'PUT api/notes/1/name': (body, headers) => {
        versions.push(headers.get('if-match'));
        return [200, { version: 'v2', features: { 1: { name: body.name, marks: {} } } }];
      },
    });
    expect(main()).toContain('from a shell');
    expect(app.markOf(0, 1)).toBe('core');
    await fireEvent.click(screen.getByText('Rename'));
    await fireEvent.input(screen.getByLabelText('Name of feature 1'), { target: { value: 'mewing' } });
    await fireEvent.click(screen.getByText('Keep'));
    await settled();
    expect(versions).toEqual(['"v1"']);
    expect(asked.some(([key, body]) => key === 'PUT api/notes/1/name' && body.name === 'mewing')).toBe(true);
    expect(main()).toContain('mewing');
    expect(app.markOf(0, 1)).toBeNull();
  });
  it('a change that another tab was faster than is said, and theirs is shown', async () => {
    let late = false;
    const { app } = await open('#/class/0', {
      'GET api/notes': () => [200, late ? { version: 'v9', features: { 1: { name: null, marks: { cat: 'unsure' } } } } : NOTES],
      'PUT api/notes/1/mark': () => ((late = true), [412, { error: { code: 'changed', message: 'changed' } }]),
    });
    await fireEvent.click(screen.getAllByText('spurious')[0]);
    await settled();
    expect(app.markOf(0, 1)).toBe('unsure');
    expect(document.body.textContent).toContain('Another tab or program changed');
  });
  it('work shows how far it is, can be cancelled, and changes nothing then', async () => {
    const job = (state: Job['state'], more = {}) => ({ id: 7, kind: 'preview', title: 'Preview: ban', state, sequence: 1, progress: { step: 'solve', kind: 'progress', message: 'gap 1e-3', done: 2, total: 8, unit: 'points' }, warnings: [], error: null, cancelling: false, seconds: null, ...more });
    const { asked, say } = await open('#/edit?edits=ban:3', {
      'POST api/jobs': () => [202, job('running')],
      'POST api/jobs/7/cancel': () => [200, job('running', { cancelling: true })],
      'GET api/jobs/7': () => [200, job('cancelled', { result: null })],
    });
    await fireEvent.click(screen.getByText('Preview'));
    await settled();
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('25');
    await fireEvent.click(screen.getByText('Cancel'));
    say('job', job('cancelled'));
    await settled();
    expect(asked.map(([key]) => key)).toContain('POST api/jobs/7/cancel');
    expect(asked.find(([key]) => key === 'POST api/jobs')![1]).toEqual({ kind: 'preview', edits: [{ action: 'ban', features: [3] }] });
    expect(main()).toContain('It was cancelled');
    expect(screen.queryByRole('progressbar')).toBeNull();
  });
  it('a run that changed is loaded again, and a lost connection is said', async () => {
    const { say, connected } = await open('#/overview', {});
    const parts = { data: 'd', notes: 'n', edits: 'e' };
    say('run', { version: '1', parts });
    say('run', { version: '2', parts: { ...parts, data: 'other' } });
    await settled();
    expect(document.querySelector('.brand')!.textContent).toContain('anew');
    expect(document.body.textContent).toContain('The run has changed');
    connected(false);
    await settled();
    expect(document.body.textContent).toContain('The connection is lost');
  });
  it('examples beyond the data are asked for', async () => {
    const card = { key: 'far', id: 'far', split: 'test', label: 0, predicted: 0, text: 'a far cat', image: null, features: [[0, 0], [1, 1], [2, 0], [4, 0]] };
    await open('#/example/far', { 'POST api/examples': () => [200, [card]] });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(main()).toContain('a far cat');
    expect(main()).toContain('Right: called cat');
  });
});

it('in a file an edit is previewed, and what needs the run says so', async () => {
  const data = sample();
  location.hash = '#/edit?edits=zero:1';
  render(Shell, { app: new App(new Model(data), { kind: 'file', server: null, load: async () => data }) });
  expect(main()).toContain('Worked out in the browser');
  expect(screen.queryByText('Apply')).toBeNull();
  cleanup();
  location.hash = '#/edit?edits=ban:1';
  render(Shell, { app: new App(new Model(data), { kind: 'file', server: null, load: async () => data }) });
  expect(main()).toContain('clearhead edit RUN --file edits.json');
});

it('screens without anything to show say how to get it', () => {
  const data = sample();
  for (const [hash, words] of [['#/compare', 'report RUN --compare OTHER'], ['#/bias', 'clearhead debug RUN --force'], ['#/study', 'clearhead study make RUN']]) {
    location.hash = hash;
    render(Shell, { app: new App(new Model(data), { kind: 'file', server: null, load: async () => data }) });
    expect(main(), hash).toContain(words);
    expect(main(), hash).not.toMatch(/NaN|undefined|cannot be drawn/);
    cleanup();
  }
});
