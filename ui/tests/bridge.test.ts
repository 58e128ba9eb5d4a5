import { expect, test } from 'vitest';
import { Bridge, type Around } from '../src/lib/bridge';

/** A kernel: answers what it is asked with the given chunks. */
function kernel(chunks: string[], status = 200) {
  const asked: any[] = [];
  let heard: (answer: any) => void = () => undefined;
  const around: Around = {
    post: (message: any) => {
      asked.push(message.question);
      const { id } = message.question;
      heard({ id, status, headers: { etag: '"7"' } });
      chunks.forEach((chunk, at) => heard({ id, chunk: btoa(chunk), more: at < chunks.length - 1 }));
    },
    listen: (callback) => (heard = callback),
  };
  return { around, asked };
}

test('an answer in parts is one response', async () => {
  const { around, asked } = kernel(['{"a":', '1}'], 412);
  const answer = await new Bridge(around).fetch('api/notes', { method: 'PUT', headers: { 'If-Match': '"6"' }, body: '{}' });
  expect(answer.status).toBe(412);
  expect(answer.headers.get('etag')).toBe('"7"');
  expect(await answer.json()).toEqual({ a: 1 });
  expect(asked[0]).toMatchObject({ method: 'PUT', path: '/api/notes', body: '{}' });
  expect(new Headers(asked[0].headers).get('if-match')).toBe('"6"');
});

test('events are cut where they end, not where messages do', () => {
  const { around } = kernel(['event: job\nda', 'ta: {"id":1}\n\nevent: run\ndata: {}\n\n: al', 'ive\n\n']);
  const heard: [string, string][] = [];
  new Bridge(around).events('api/events', (name, data) => heard.push([name, data]));
  expect(heard).toEqual([['job', '{"id":1}'], ['run', '{}']]);
});

test('two questions do not mix', async () => {
  const held: any[] = [];
  let heard: (answer: any) => void = () => undefined;
  const bridge = new Bridge({ post: (message: any) => held.push(message.question), listen: (callback) => (heard = callback) });
  const [first, second] = [bridge.fetch('api/a'), bridge.fetch('api/b')];
  for (const { id, path } of [...held].reverse()) {
    heard({ id, status: 200, headers: {} });
    heard({ id, chunk: btoa(path), more: false });
  }
  heard({ id: 99, chunk: btoa('nobody asked'), more: false });
  expect(await (await first).text()).toBe('/api/a');
  expect(await (await second).text()).toBe('/api/b');
});
