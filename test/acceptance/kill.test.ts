import { expect, type TestContext, test } from 'vitest';
import { createRandom } from '../../src/simulator/random.ts';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { accepted } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const ITEMS = 60;
const KILLS = 5;
/** Long enough that kills find requests on their way. */
const LATENCY_MS = 120;
/** From a request's arrival at the provider to its task id on our disk, on a busy machine. */
const RECORDED_WITHIN_MS = LATENCY_MS + 500;

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
  const killedAt = await killedRuns(place, manifest, 21);

  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(0);
  expect(countBy(await recordsOf(place, 'killed'))).toEqual({ archived: ITEMS });
  // By the provider's own log: what it took in shortly before or after a kill may have had no answer.
  const underWay = place.simulator
    .ledger()
    .submitLog.filter(({ at }) => killedAt.some((kill) => at > kill - RECORDED_WITHIN_MS && at < kill + LATENCY_MS));
  expect(accepted(place) - ITEMS).toBeLessThanOrEqual(underWay.length);
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

/** Starts the batch and kills it, five times, each time after a seeded amount of the provider's work. */
async function killedRuns(place: Place, manifest: string, seed: number): Promise<number[]> {
  const random = createRandom(seed, 'kills');
  const killedAt: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const goOnTo = work(place) + 1 + Math.floor(random() * 30);
    const running = place.start(['run', manifest]);
    await until('it has worked so much', () => work(place) >= goOnTo || !running.isRunning(), {
      seen: () => running.stderr(),
    });
    running.kill('SIGKILL');
    killedAt.push(Date.now());
    await running.exit();
  }
  return killedAt;
}

/** All that the provider was asked for, as a measure of how far the batch has come. */
function work(place: Place): number {
  const { submits, downloads, polls } = place.simulator.ledger();
  return submits.seen + downloads.origin + downloads.stored + polls;
}

function idsOf(items: readonly { id: string }[]): string[] {
  return items.map(({ id }) => id).sort();
}
