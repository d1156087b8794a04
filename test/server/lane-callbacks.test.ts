import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { itemsOf, startDeployment } from './deployment.ts';

const KEY = 'a-key-of-two-lanes';
const submitted = z.object({ callBackUrl: z.string() });

/** The simulator has one key: what tells the accounts apart where both use it is their names. */
async function withLanes(second = KEY) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-lane-callbacks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'lanes.yaml');
  await writeFile(file, 'lanes:\n  - { name: main, key: MAIN_KEY }\n  - { name: second, key: SECOND_KEY }\n');
  vi.stubEnv('MAIN_KEY', KEY);
  vi.stubEnv('SECOND_KEY', second);
  onTestFinished(() => void vi.unstubAllEnvs());
  return startDeployment({
    simulator: { apiKey: KEY, timeScale: 0.01, medianMs: 60_000, sigma: 0 },
    config: { FLUX_LANES: file },
  });
}

test('the provider calls each task at the address of its lane, and its poll comes at once', async () => {
  const deployment = await withLanes();
  await deployment.addWorkers();
  await deployment.enqueue('spring', itemsOf('spring', 8));
  expect((await deployment.ended('spring')).items.archived).toBe(8);
  await vi.waitFor(() => expect(deployment.simulator.ledger().callbacks.delivered).toBe(8));
  expect(deployment.simulator.ledger().callbacks.failed).toBe(0);
  const asked = deployment.simulator.ledger().taskLog.map(({ request }) => submitted.parse(request).callBackUrl);
  const named = asked.map((url) => /\/callbacks\/lane\/(main|second)\//.exec(url)?.[1]);
  expect([...new Set(named)].sort()).toEqual(['main', 'second']);
  const lanes = await Promise.all(
    itemsOf('spring', 8).map(async ({ id }) => (await deployment.connections.records.read('spring', id))?.lane),
  );
  expect(lanes.sort()).toEqual(named.sort());
});

test('a token of one lane is none at the address of another, and an unknown lane has none', async () => {
  const { serving, url } = await withLanes('another-key');
  const [item] = itemsOf('spring', 1);
  const main = serving.called.find(({ path }) => path === 'lane/main/');
  const token = (item && main?.tokens.mint(item)) ?? '';
  const statusAt = async (path: string) => {
    const body = JSON.stringify({ code: 200, data: { taskId: 'task' } });
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${url}/callbacks/${path}${token}`, { method: 'POST', body, headers })).status;
  };
  expect(await statusAt('lane/main/')).toBe(200);
  expect(await statusAt('lane/second/')).toBe(404);
  expect(await statusAt('lane/third/')).toBe(404);
});
