import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordsIn } from '../../src/archive/records.ts';
import { CONDITION_MS } from '../services/limits.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';
import { startProcess } from './crew.ts';
import { keepsPromise } from './figures.ts';
import { startLocalFleet } from './local-fleet.ts';
import { openStand, type Stand } from './stand.ts';

const MORTAL = fileURLToPath(new URL('dying-worker.mjs', import.meta.url));
const around = (steps: readonly string[]) => steps.flatMap((step) => [`before ${step}`, `after ${step}`]);
const SUBMITTING = [
  ...around(['the claim', 'the claimed record', 'the POST', 'the submitted record', 'the poll job']),
  ...['during the POST', ...around(['the submitted state'])],
];
const ARCHIVING = around(['the archive job', 'the download', 'the put', 'the final record', 'the archived state']);
const FEEDING = around(['the feeding', 'the fed jobs', 'the end of feeding']);

const ITEMS = 60;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Submits that were on their way, by the archive: a claim without a task id. */
async function claimedIn(stand: Stand): Promise<number> {
  const archive = await stand.openDirectly();
  const records = recordsIn(archive);
  let claimed = 0;
  for await (const id of records.list(stand.batch)) {
    if ((await records.read(stand.batch, id))?.state === 'claimed') claimed += 1;
  }
  await archive.close();
  return claimed;
}

test.concurrent.each([
  { onUnknown: 'hold', stage: 'submitting', boundaries: SUBMITTING, database: 1 },
  { onUnknown: 'resubmit', stage: 'submitting', boundaries: SUBMITTING, database: 2 },
  { onUnknown: 'hold', stage: 'archiving', boundaries: ARCHIVING, database: 3 },
  { onUnknown: 'hold', stage: 'feeding', boundaries: FEEDING, database: 4 },
])('kill -9 at every boundary of $stage, $onUnknown', async (run) => {
  const { onUnknown, boundaries } = run;
  const stand = await openStand({
    items: ITEMS,
    redisUrl: `${redis.url}/${run.database}`,
    simulator: { latencyMs: 30 },
    // Small enough for the last of them to find something to feed.
    environment: { ON_UNKNOWN: onUnknown, FEED_WINDOW: '6' },
  });
  await stand.enqueue();
  let inFlight = 0;
  for (const boundary of boundaries) {
    const before = await claimedIn(stand);
    const environment = { ...stand.environment, DIE_AT: boundary };
    const worker = startProcess([], { environment, cwd: stand.folder, script: MORTAL });
    const survives = setTimeout(() => worker.child.kill('SIGTERM'), CONDITION_MS);
    const { signal, stderr } = await worker.ended;
    clearTimeout(survives);
    expect(signal, `${boundary}: ${stderr}`).toBe('SIGKILL');
    inFlight += Math.max(0, (await claimedIn(stand)) - before);
  }
  const fleet = await startLocalFleet(stand.environment);
  await stand.ended();
  await fleet.stop();

  const figures = await stand.figures();
  const chargedTwice = onUnknown === 'hold' ? 0 : inFlight;
  const name = `kill -9 ${run.stage} ${boundaries.length} times, ${onUnknown}, ${inFlight} in flight`;
  keepsPromise(name, figures, { chargedTwice });
  expect(figures.archived + (onUnknown === 'hold' ? figures.held : 0)).toBe(ITEMS);
  await stand.close();
});
