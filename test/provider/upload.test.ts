import { createHash } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { uploadOutcome } from '../../src/provider/kie/upload.ts';
import { fluxKontext } from '../../src/provider/kontext/flux-kontext.ts';
import { isReachableFrom } from '../../src/provider/reachable.ts';
import { saysUnfetchable } from '../../src/provider/unfetchable.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { photo } from '../manifest/photo.ts';

const NOW = Date.UTC(2026, 10, 26);
const answer = (body: unknown, status = 200) => ({ status, headers: {}, text: JSON.stringify(body) });

async function opened(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  const provider = fluxKontext({
    apiUrl: simulator.url,
    apiKey: simulator.apiKey,
    userAgent: 'flux-batch/0.0.0-test',
    connectTimeoutMs: 5_000,
    submitTimeoutMs: 5_000,
    pollTimeoutMs: 5_000,
    connections: 4,
    uploadUrl: simulator.url,
  });
  onTestFinished(async () => {
    await provider.close();
    await simulator.close();
  });
  return { simulator, provider };
}

it.each(['quickstart', 'reference'] as const)(
  'an upload can be fetched byte by byte, and its life is what the answer says, else a day (%s)',
  async (uploadShape) => {
    const { provider, simulator } = await opened({ uploadShape, uploadTtlMs: 60_000 });
    const body = await photo('red');
    const picture = { sha256: '', extension: 'jpg' as const, contentType: 'image/jpeg', body };
    const [one, other] = [await provider.upload?.(picture), await provider.upload?.(picture)];
    if (one?.kind !== 'uploaded' || other?.kind !== 'uploaded') throw new Error(JSON.stringify([one, other]));
    const fetched = await fetch(one.url);
    expect(fetched.headers.get('content-type')).toBe('image/jpeg');
    expect(Buffer.from(await fetched.arrayBuffer()).equals(body)).toBe(true);
    const lifeMs = uploadShape === 'quickstart' ? 60_000 : 86_400_000;
    expect(Math.abs(one.diesAt - Date.now() - lifeMs)).toBeLessThan(30_000);
    // The same name would overwrite, and digests of pictures can be known.
    expect(other.url).not.toBe(one.url);
    expect(new URL(one.url).pathname.split('/').at(-1)).not.toContain(
      createHash('sha256').update(body).digest('hex').slice(0, 8),
    );
    expect(simulator.ledger().submits.seen).toBe(0);
  },
);

it.each([
  ['upload-401', { kind: 'refused', refusal: 'unauthorized', code: 401 }],
  ['upload-500', { kind: 'unreachable' }],
  ['upload-html', { kind: 'unreachable' }],
] as const)('%s is an outcome', async (name, outcome) => {
  const { provider } = await opened({ faults: [{ name, times: 1 }] });
  const body = await photo('red');
  expect(await provider.upload?.({ sha256: '', extension: 'jpg', contentType: 'image/jpeg', body })).toMatchObject(
    outcome,
  );
});

it.each([
  [
    { success: true, code: 200, data: { downloadUrl: 'https://a.example/1' } },
    { kind: 'uploaded', diesAt: NOW + 86_400_000 },
  ],
  [
    { success: true, code: 200, data: { fileUrl: 'https://a.example/1', expiresAt: '2026-11-26T01:00:00Z' } },
    { kind: 'uploaded', url: 'https://a.example/1', diesAt: NOW + 3_600_000 },
  ],
  [
    { success: true, code: 200, data: { downloadUrl: 'https://a.example/1', fileUrl: 'https://a.example/2' } },
    { url: 'https://a.example/1' },
  ],
  [{ success: true, code: 200, data: { downloadUrl: 'javascript:1' } }, { kind: 'unreachable' }],
  [{ success: true, code: 200, data: null }, { kind: 'unreachable' }],
  [{ success: false, code: 200, data: { downloadUrl: 'https://a.example/1' } }, { kind: 'unreachable' }],
  [
    { success: false, code: 400, msg: 'File type not supported' },
    { kind: 'refused', refusal: 'invalid-parameters', message: 'File type not supported' },
  ],
  [{ success: false, code: 405, msg: 'Method not allowed' }, { kind: 'unreachable' }],
  [
    { success: false, code: 429, msg: 'slow down' },
    { kind: 'refused', refusal: 'rate-limited' },
  ],
  ['nonsense', { kind: 'unreachable' }],
])('%j is read', (body, outcome) => {
  expect(uploadOutcome(answer(body), NOW)).toMatchObject(outcome);
});

it.each([
  ['failed to fetch the input image', true],
  ['The input image could not be fetched', true],
  ['Unable to download image from URL', true],
  ['Image URL expired or returned 404', true],
  ['aspectRatio is invalid', false],
  ['content policy violation', false],
  ['insufficient credits', false],
])('"%s" says that an image cannot be fetched: %s', (message, says) => {
  expect(saysUnfetchable(message)).toBe(says);
});

it.each([
  ['https://bucket.s3.eu-central-1.amazonaws.com/k', true],
  ['https://s3.example.com/bucket/k', true],
  ['http://203.0.114.7:9000/bucket/k', true],
  ['http://127.0.0.1:8333/bucket/k', false],
  ['http://10.0.0.7/bucket/k', false],
  ['http://[fd00::1]/bucket/k', false],
  ['http://minio:9000/bucket/k', false],
  ['http://rook-ceph-rgw.rook.svc/bucket/k', false],
  ['http://localhost:9000/bucket/k', false],
])('%s can be reached from outside: %s', (url, can) => {
  expect(isReachableFrom('https://api.kie.ai', url)).toBe(can);
  expect(isReachableFrom('http://127.0.0.1:4010', url)).toBe(true);
});
