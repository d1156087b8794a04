import { request as httpRequest } from 'node:http';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { itemsOf, startDeployment } from './deployment.ts';

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

test('health is for everyone, metrics for who knows the password or the token', async () => {
  const token = 'of-the-scraper-alone';
  const { url } = await startDeployment({ config: { SERVE_PASSWORD: 'open sesame', METRICS_TOKEN: token } });
  const tunnel = { 'x-forwarded-for': '203.0.113.7' };
  expect(await statusOf(`${url}/healthz`, tunnel)).toBe(200);
  expect(await statusOf(`${url}/metrics`, {})).toBe(401);
  expect(await statusOf(`${url}/metrics`, { authorization: 'Bearer guess' })).toBe(401);
  expect(await statusOf(`${url}/metrics`, { ...tunnel, ...basic('open sesame') })).toBe(200);
  expect(await statusOf(`${url}/metrics`, { ...tunnel, authorization: `Bearer ${token}` })).toBe(200);
  expect(await statusOf(`${url}/`, { authorization: `Bearer ${token}` })).toBe(401);
});

test('without a password metrics are for this machine, not for a rebound name', async () => {
  const { url } = await startDeployment();
  expect(await statusOf(`${url}/metrics`, {})).toBe(200);
  expect(await statusOf(`${url}/metrics`, { host: 'rebound.example.org' })).toBe(403);
});

test('ten wrong passwords, and an address waits for a minute, whatever it brings; one line of log tells it', async () => {
  const deployment = await startDeployment({ config: { SERVE_PASSWORD: 'open sesame' } });
  const warn = vi.spyOn(deployment.connections.log, 'warn');
  const guesses = Array.from({ length: 50 }, (_, index) => statusOf(`${deployment.url}/`, basic(`guess ${index}`)));
  const statuses = await Promise.all(guesses);
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(40);
  expect(await statusOf(`${deployment.url}/`, basic('open sesame'))).toBe(429);
  expect(warn.mock.calls.filter(([, message]) => String(message).startsWith('wrong passwords'))).toHaveLength(1);
});

test('the queues show no URL of an image', async () => {
  const deployment = await startDeployment({ simulator: { timeScale: 100 } });
  await deployment.addWorkers(['submit']);
  const [item] = itemsOf('spring', 1);
  if (!item) throw new Error('no item');
  const inputImage = 'https://photos.example.org/private/room.png?signature=abc';
  await deployment.enqueue('spring', [{ ...item, request: { ...item.request, inputImage } }]);
  const board = await vi.waitFor(async () => {
    const text = await (await fetch(`${deployment.url}/queues/api/queues?activeQueue=poll&status=delayed`)).text();
    expect(text).toContain('spring');
    return text;
  });
  expect(board).toContain('https://photos.example.org/…');
  expect(board).not.toContain('room.png');
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

test('why it is not ready is told on this machine, and to others only that it is not', async () => {
  const { url, redis } = await startDeployment();
  await redis.stop();
  const tunnel = { 'x-forwarded-for': '203.0.113.7' };
  const told = async (headers: Record<string, string>) => {
    const answer = await fetch(`${url}/readyz`, { headers });
    const { redis: state } = z.object({ redis: z.string() }).parse(await answer.json());
    return [answer.status, state];
  };
  await vi.waitFor(async () => expect(await told(tunnel)).toEqual([503, 'failed']));
});
