import { request as httpRequest } from 'node:http';
import { expect, test, vi } from 'vitest';
import { startDeployment } from './deployment.ts';

const PAGES = ['/', '/queues', '/queues/api/queues', '/batches/spring', '/events'];
const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`,
});

/** With headers that `fetch` keeps to itself, such as Host. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers }, (answer) => {
      answer.destroy();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

test('without a password the pages are for this machine, and not for who comes through a tunnel or by another name', async () => {
  const { url } = await startDeployment();
  for (const page of PAGES) {
    expect(await statusOf(url + page, { 'x-forwarded-for': '203.0.113.7' })).toBe(403);
    expect(await statusOf(url + page, { host: 'rebound.example.org' })).toBe(403);
  }
  expect(await statusOf(`${url}/`, {})).toBe(200);
  expect(await statusOf(`${url}/queues`, { host: 'localhost:8787' })).toBe(200);
});

test('with a password the pages are for those who know it, wherever they come from', async () => {
  const { url } = await startDeployment({ config: { SERVE_PASSWORD: 'open sesame' } });
  for (const page of PAGES) {
    expect(await statusOf(url + page, {})).toBe(401);
    expect(await statusOf(url + page, basic('guess'))).toBe(401);
  }
  expect(await statusOf(`${url}/`, { ...basic('open sesame'), 'x-forwarded-for': '203.0.113.7' })).toBe(200);
  expect((await fetch(url)).headers.get('www-authenticate')).toMatch(/^Basic /);
});

test('health is for everyone, metrics not through a tunnel', async () => {
  const { url } = await startDeployment({ config: { SERVE_PASSWORD: 'open sesame' } });
  const tunnel = { 'x-forwarded-for': '203.0.113.7' };
  expect(await statusOf(`${url}/healthz`, tunnel)).toBe(200);
  expect(await statusOf(`${url}/metrics`, {})).toBe(200);
  expect(await statusOf(`${url}/metrics`, tunnel)).toBe(401);
  expect(await statusOf(`${url}/metrics`, { ...tunnel, ...basic('open sesame') })).toBe(200);
});

test('the queues are shown and cannot be changed by hand', async () => {
  const { url } = await startDeployment();
  const answer = await fetch(`${url}/queues/api/queues/submit/pause`, { method: 'PUT' });
  expect(answer.status).toBe(405);
});

test('it is alive, and ready while Redis and the archive answer', async () => {
  const { url, redis } = await startDeployment();
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([200, { redis: 'ok', archive: 'ok' }]);
  await redis.stop();
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(503));
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});
