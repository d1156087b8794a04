import { createHash } from 'node:crypto';
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import type { FoundSource } from '../../../src/items/sources.ts';
import type { Provider } from '../../../src/provider/provider.ts';
import { http, rawServer } from '../raw-server.ts';
import { ADAPTERS, standIn } from './adapters.ts';
import { accepted, untilSucceeded } from './tasks.ts';

async function sumAt(url: string): Promise<string> {
  const answer = await request(url, { headers: { 'user-agent': 'flux-batch/0.0.0-test' } });
  expect(answer.statusCode).toBe(200);
  return createHash('sha256')
    .update(Buffer.from(await answer.body.arrayBuffer()))
    .digest('hex');
}

async function sumOf({ kind, url }: FoundSource, provider: Provider): Promise<string> {
  if (kind !== 'link') return sumAt(url);
  const link = await provider.link(url);
  if (link.kind !== 'link') throw new Error(`Expected a link, got ${JSON.stringify(link)}`);
  return sumAt(link.url);
}

describe.each(ADAPTERS)('$name: the images of a task', (adapter) => {
  test('are one where one is asked for', async () => {
    const { simulator, provider } = await standIn(adapter);
    const { handle } = await accepted(provider, adapter);
    expect(await untilSucceeded(provider, handle)).not.toHaveProperty('more');
    expect(simulator.ledger().taskLog[0]).not.toHaveProperty('images');
  });
});

const MAKE_SEVERAL = ADAPTERS.flatMap((adapter) => (adapter.three ? [{ ...adapter, three: adapter.three }] : []));

describe.each(MAKE_SEVERAL)('$name: several images of a task', (adapter) => {
  test('are all told, each with every source of its own, and each is charged', async () => {
    const { simulator, provider } = await standIn(adapter);
    const { handle } = await accepted(provider, { ...adapter, request: adapter.three });
    const { sources, more = [], credits } = await untilSucceeded(provider, handle);
    expect(more).toHaveLength(2);
    const sums: string[] = [];
    for (const image of [{ sources }, ...more]) {
      expect(image.sources.map(({ kind }) => kind)).toEqual(adapter.sources);
      const served = await Promise.all(image.sources.map((source) => sumOf(source, provider)));
      expect(new Set(served).size).toBe(1);
      sums.push(...new Set(served));
    }
    expect(new Set(sums).size).toBe(3);
    const { taskLog, credits: account } = simulator.ledger();
    expect(taskLog[0]?.images).toEqual(sums.map((sha256) => ({ fetches: adapter.sources.length, sha256 })));
    if (adapter.tellsCost) expect(credits).toBe(account.charged);
  });

  test('beyond what its model makes are refused, and nothing is started', async () => {
    const { simulator, provider } = await standIn(adapter);
    const asked = { ...adapter.three, parameters: { max_images: 99 } };
    expect(await provider.submit(asked)).toMatchObject({ kind: 'refused', refusal: 'invalid-parameters' });
    expect(simulator.ledger().tasks.accepted).toBe(0);
  });
});

test('kie-jobs: a place in the answer without a URL is an image that is missed, and the same URL twice is one image', async () => {
  const adapter = ADAPTERS.find(({ name }) => name === 'kie-jobs');
  const told = { resultUrls: ['', 'https://h.example/1.png', 'https://h.example/2.png', 'https://h.example/1.png'] };
  const record = { taskId: 'task-1', state: 'success', resultJson: JSON.stringify(told) };
  const body = JSON.stringify({ code: 200, msg: 'success', data: record });
  const server = await rawServer((socket) => socket.write(http(200, body)));
  const outcome = await (await adapter?.open(server.url))?.poll('task-1');
  const at = (url: string) => [expect.objectContaining({ url }), expect.objectContaining({ url })];
  expect(outcome).toMatchObject({
    kind: 'succeeded',
    sources: at('https://h.example/1.png'),
    more: [{ sources: at('https://h.example/2.png') }, { sources: [] }],
  });
});
