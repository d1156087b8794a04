import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { notify } from '../../src/notify/notify.ts';
import { freePort } from '../services/redis.ts';

const QUICK = { delaysMs: [1, 1, 1] };
type Answer = (response: ServerResponse) => void;
const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end();

test('is a JSON POST with a text', async () => {
  const { url, bodies } = await receiver();
  expect(await notify(url, { text: 'autumn: done', exitCode: 0 }, QUICK)).toBeUndefined();
  expect(bodies).toEqual([{ text: 'autumn: done', exitCode: 0 }]);
});

test('is sent again where the server is in trouble, limits the rate, or breaks off', async () => {
  const { url, bodies } = await receiver(status(503), status(429), (response) => response.destroy());
  expect(await notify(url, { text: 'done' }, QUICK)).toBeUndefined();
  expect(bodies).toHaveLength(4);
});

test('is only its text for a server that takes no other fields', async () => {
  const { url, bodies } = await receiver(status(400));
  expect(await notify(url, { text: 'done', credits: 8 }, QUICK)).toBeUndefined();
  expect(bodies).toEqual([{ text: 'done', credits: 8 }, { text: 'done' }]);
});

test('commands nothing in Slack, whatever a server has said', async () => {
  const { url, bodies } = await receiver();
  await notify(url, { text: 'stopped: <!channel> <https://evil.example|here>' }, QUICK);
  expect(bodies).toEqual([{ text: 'stopped: ‹!channel› ‹https://evil.example|here›' }]);
});

test('says why it was not delivered, and never throws', async () => {
  const gone = await receiver(status(404));
  expect(await notify(gone.url, { text: 'done' }, QUICK)).toBe('it answered HTTP 404');
  expect(gone.bodies).toHaveLength(1);
  const ill = await receiver(...Array.from({ length: 9 }, () => status(500)));
  expect(await notify(ill.url, { text: 'done' }, QUICK)).toBe('it answered HTTP 500');
  expect(ill.bodies).toHaveLength(4);
  const silent = await receiver(...Array.from({ length: 9 }, (): Answer => () => {}));
  expect(await notify(silent.url, { text: 'done' }, { ...QUICK, withinMs: 50 })).toMatch(/timeout/);
  const elsewhere = await receiver((response) => void response.writeHead(302, { location: gone.url }).end());
  expect(await notify(elsewhere.url, { text: 'done' }, { delaysMs: [] })).toMatch(/redirect/);
  expect(await notify(`http://127.0.0.1:${await freePort()}`, { text: 'done' }, QUICK)).toMatch(/ECONNREFUSED/);
});

/** A server that gives these answers, one after the other, then 200. */
async function receiver(...answers: Answer[]): Promise<{ url: string; bodies: unknown[] }> {
  const bodies: unknown[] = [];
  const server = createServer(async (request, response) => {
    expect(request.method).toBe('POST');
    expect(request.headers['content-type']).toBe('application/json');
    bodies.push(JSON.parse(await text(request)));
    (answers.shift() ?? status(200))(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');
  return { url: `http://127.0.0.1:${address.port}`, bodies };
}
