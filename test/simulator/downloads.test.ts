import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import type { Fault } from '../../src/simulator/faults.ts';
import { bytesOf, startCaller } from './caller.ts';

const statusOf = async (url: string) => {
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.status;
};
const untilGone = (url: string, status: number) =>
  vi.waitFor(async () => expect(await statusOf(url)).toBe(status), { interval: 10 });

test('the origin, the stored and the linked image are the same bytes', async () => {
  const { finished, link, simulator } = await startCaller();
  const { originImageUrl, resultImageUrl } = await finished({ prompt: 'a pear', outputFormat: 'png' });
  const origin = await bytesOf(originImageUrl);
  expect(await bytesOf(resultImageUrl)).toEqual(origin);
  const { code, data } = await link(originImageUrl);
  expect(code).toBe(200);
  expect(await bytesOf(String(data))).toEqual(origin);
  expect(simulator.ledger()).toMatchObject({ downloads: { origin: 1, stored: 1, link: 1, expired: 0 }, links: 1 });
});

test('the origin dies first, the stored image later', async () => {
  const { finished, simulator } = await startCaller({ originTtlMs: 30, storedTtlMs: 1_000, expiredStatus: 403 });
  const { originImageUrl, resultImageUrl } = await finished({ prompt: 'a pear' });
  await untilGone(originImageUrl, 403);
  expect(await statusOf(resultImageUrl)).toBe(200);
  await untilGone(resultImageUrl, 403);
  expect(simulator.ledger().downloads.expired).toBeGreaterThanOrEqual(2);
});

test('a temporary link dies too, and a forged one never lived', async () => {
  const { finished, link } = await startCaller({ linkTtlMs: 40 });
  const { resultImageUrl } = await finished({ prompt: 'a pear' });
  const url = String((await link(resultImageUrl)).data);
  await untilGone(url, 404);
  expect(await statusOf(url.replace(/-(\d)/, '-9$1'))).toBe(404);
});

test('only files that it generated are linked to', async () => {
  const { finished, link } = await startCaller();
  const { resultImageUrl } = await finished({ prompt: 'a pear' });
  const elsewhere = resultImageUrl.replace(/\/\/[^/]+/, '//example.com');
  for (const url of [
    'https://example.com/pear.jpg',
    elsewhere,
    'pear',
    resultImageUrl.replace(/\w{4}\.jpg/, '0000.jpg'),
  ]) {
    expect((await link(url)).code, url).toBe(422);
  }
});

test('a host that lost an image stays without it, and the other serves it', async () => {
  const { finished, simulator } = await startCaller({ faults: [{ name: 'origin-dead', times: 1 }] });
  const { originImageUrl, resultImageUrl } = await finished({ prompt: 'a pear' });
  expect([await statusOf(originImageUrl), await statusOf(originImageUrl)]).toEqual([404, 404]);
  expect(await statusOf(resultImageUrl)).toBe(200);
  simulator.setFaults([{ name: 'stored-dead', times: 1 }]);
  expect(await statusOf(resultImageUrl)).toBe(404);
});

async function spoiledOnce(name: Fault['name'], format: 'jpeg' | 'png' = 'jpeg') {
  const caller = await startCaller({ slowAnswerMs: 50, faults: [{ name, share: 1, firstOnly: true }] });
  const { originImageUrl: url } = await caller.finished({ prompt: 'a pear', outputFormat: format });
  const answer = await fetch(url, { redirect: 'manual' });
  const body = await answer.arrayBuffer().then(Buffer.from, () => 'broken off' as const);
  return { url, answer, body, good: await bytesOf(url) };
}

test('image-cut breaks off in the middle of the promised length; the next fetch is whole', async () => {
  const { answer, body, good } = await spoiledOnce('image-cut');
  expect([Number(answer.headers.get('content-length')), body]).toEqual([good.length, 'broken off']);
  expect(await sharp(good).metadata()).toMatchObject({ format: 'jpeg' });
});

test('image-short, image-long and image-empty have a length that agrees with itself', async () => {
  const short = await spoiledOnce('image-short');
  expect(short.body.length).toBe(Math.ceil(short.good.length / 2));
  const long = await spoiledOnce('image-long');
  expect(long.body.length).toBeGreaterThan(long.good.length);
  const empty = await spoiledOnce('image-empty');
  expect([empty.answer.status, empty.body.length]).toEqual([200, 0]);
});

test('image-wrong-format bears the right label', async () => {
  for (const format of ['jpeg', 'png'] as const) {
    const { answer, body } = await spoiledOnce('image-wrong-format', format);
    expect(answer.headers.get('content-type')).toBe(`image/${format}`);
    expect((await sharp(body).metadata()).format).toBe(format === 'png' ? 'jpeg' : 'png');
  }
});

test('image-html and image-500 are no images', async () => {
  const html = await spoiledOnce('image-html');
  expect([html.answer.status, html.answer.headers.get('content-type')]).toEqual([
    200,
    expect.stringMatching('text/html'),
  ]);
  expect((await spoiledOnce('image-500')).answer.status).toBe(500);
});

test('image-huge is over 48 MB and does not say so', async () => {
  const { answer, body } = await spoiledOnce('image-huge');
  expect(answer.headers.get('content-length')).toBeNull();
  expect(body.length).toBeGreaterThan(48 * 1024 * 1024);
});

test('image-bomb is a small PNG of very many pixels', async () => {
  const { body } = await spoiledOnce('image-bomb');
  expect(body.length).toBeLessThan(100_000);
  expect(await sharp(body, { limitInputPixels: false }).metadata()).toMatchObject({ width: 20_000, height: 20_000 });
  await expect(sharp(body).stats()).rejects.toThrow(/pixel limit/);
});

test('image-redirect leads to the image, image-redirect-inside to where nobody should go', async () => {
  const { url, answer, good } = await spoiledOnce('image-redirect');
  expect(answer.status).toBe(302);
  expect(await bytesOf(new URL(answer.headers.get('location') ?? '', url).href)).toEqual(good);
  expect((await spoiledOnce('image-redirect-inside')).answer.headers.get('location')).toMatch(/169\.254/);
});

test('image-stall sends the second half late', async () => {
  const { body, good } = await spoiledOnce('image-stall');
  expect(body).toEqual(good);
});
