import { expect, type TestContext, test } from 'vitest';
import type { ItemRecord } from '../../src/items/record.ts';
import type { TaskSeen } from '../../src/simulator/ledger.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { accepted } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const ITEMS = 60;
const KILLS = 5;
/** Long enough that kills find requests on their way. */
const LATENCY_MS = 120;
/** A request that left just before a kill has arrived by then; the next process has not sent one yet. */
const ARRIVED_WITHIN_MS = 300;

// What a killed process held is taken over when its locks have run out: that is most of the time of these tests.
test.concurrent.for([11, 12])(
  'killed five times with hold, no item is charged twice and none is lost (seed %i)',
  async (seed, context) => {
    const place = await openSlowPlace(context, 'hold');
    const manifest = await place.manifest('killed', promptsFor(ITEMS));
    await killedRuns(place, manifest, seed);

    const { code, stdout, stderr } = await place.run(['run', manifest, '--json']);
    const records = await recordsOf(place, 'killed');
    const held = records.filter((record) => record.state === 'held');
    expect(accepted(place), stderr).toBeLessThanOrEqual(ITEMS);
    expect(place.simulator.ledger().repeatedRequests).toEqual([]);
    expect((countBy(records).archived ?? 0) + held.length).toBe(ITEMS);
    expect(code, stderr).toBe(held.length === 0 ? 0 : 1);
    expect(idsOf(JSON.parse(stdout).failures)).toEqual(idsOf(held));
    for (const { id, name } of held) expect(stderr).toMatch(new RegExp(`held .*${name} .*\\[${id}\\]`));
    await expectImagesAsRecorded(place, 'killed');
    expect(place.redis()).toBeUndefined();
  },
);

test.concurrent('killed five times with resubmit, every item is archived, and only submits under way at a kill are paid again', async (context) => {
  const place = await openSlowPlace(context, 'resubmit');
  const manifest = await place.manifest('killed', promptsFor(ITEMS));
  const kills = await killedRuns(place, manifest, 21);

  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(0);
  expect(countBy(await recordsOf(place, 'killed'))).toEqual({ archived: ITEMS });
  expect(accepted(place) - ITEMS).toBeLessThanOrEqual(inFlightAt(kills, place));
  await expectImagesAsRecorded(place, 'killed');
  expect(place.redis()).toBeUndefined();
});

function openSlowPlace(context: TestContext, onUnknown: string): Promise<Place> {
  return openPlace(context, {
    pace: { max: 10, windowMs: 500 },
    simulator: { latencyMs: LATENCY_MS },
    env: { ON_UNKNOWN: onUnknown },
  });
}

/** What was on record when a process had been killed. */
type Kill = { at: number; recorded: Set<string> };

/** Starts the batch and kills it, five times, each time after a seeded amount of the provider's work. */
async function killedRuns(place: Place, manifest: string, seed: number): Promise<Kill[]> {
  const random = createRandom(seed, 'kills');
  const kills: Kill[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const goOnTo = work(place) + 1 + Math.floor(random() * 30);
    const running = place.start(['run', manifest]);
    await until('it has worked so much', () => work(place) >= goOnTo || !running.isRunning(), {
      seen: () => running.stderr(),
    });
    running.kill('SIGKILL');
    const at = Date.now();
    await running.exit();
    kills.push({ at, recorded: new Set((await recordsOf(place, 'killed')).flatMap(taskIdsOf)) });
  }
  return kills;
}

function taskIdsOf(record: ItemRecord): string[] {
  const current = 'taskId' in record && record.taskId !== undefined ? [record.taskId] : [];
  return [...record.earlierTaskIds, ...current];
}

/** The provider's tasks whose id no record had when their process was gone: those submits were under way. */
function inFlightAt(kills: readonly Kill[], place: Place): number {
  const isLost = ({ taskId, at }: TaskSeen) =>
    kills.some((kill) => at < kill.at + ARRIVED_WITHIN_MS && !kill.recorded.has(taskId));
  return place.simulator.ledger().taskLog.filter(isLost).length;
}

/** All that the provider was asked for, as a measure of how far the batch has come. */
function work(place: Place): number {
  const { submits, downloads, polls } = place.simulator.ledger();
  return submits.seen + downloads.origin + downloads.stored + polls;
}

function idsOf(items: readonly { id: string }[]): string[] {
  return items.map(({ id }) => id).sort();
}
