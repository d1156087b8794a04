import { expect, test } from 'vitest';
import type { Progress } from '../../src/library/flux-batch.ts';
import { follow } from '../../src/library/follow.ts';
import { accepted, jobs, type LaneOf, startLanes } from '../workers/lanes-crew.ts';
import { BATCH } from './rig.ts';

const NEVER = new AbortController().signal;
const WINDOW = { FEED_WINDOW: '5' };
const LANES: readonly LaneOf[] = [
  { name: 'main', key: 'KIE_API_KEY' },
  { name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' },
];
/** Of one provider alone. */
const ofKie = (count: number) => jobs(count).map((job, index) => ({ ...job, id: `kie-${index}` }));
const ofBfl = (count: number) =>
  jobs(count, { provider: 'bfl', model: 'flux-kontext-pro' }).map((job, index) => ({ ...job, id: `bfl-${index}` }));

type Crew = Awaited<ReturnType<typeof startLanes>>;

/** How many submit jobs each provider's queue has. */
async function waiting({ connections: { queues } }: Crew) {
  const sums = (['kie', 'bfl'] as const).map(async (way) => {
    const counts = await queues.submitsOf(way).getJobCounts();
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  });
  return Promise.all(sums);
}

/** As `run` and the library judge it: where it stands once nothing more can move, and how many waited in Redis at most meanwhile. */
async function followed(crew: Crew) {
  let most = 0;
  let last: Progress | undefined;
  for await (const progress of follow(BATCH, { ...crew, fault: () => undefined, signal: NEVER })) {
    last = progress;
    const now = await crew.counts();
    if (now) most = Math.max(most, now.items.queued - now.unfed);
  }
  return { last, most };
}

test('items beyond the budget of one account keep none of another from being fed, and do not end the batch before those', async () => {
  const crew = await startLanes(LANES, { ...WINDOW, BUDGET_CREDITS: 'bfl=12' });
  const all = [...ofBfl(20), ...ofKie(12)];
  await crew.enqueue(all);
  await crew.work();
  const { last, most } = await followed(crew);
  // Three of bfl at 4 credits each, and all of kie.
  expect(last).toMatchObject({ outlook: 'out-of-budget', items: { archived: 15, queued: 17 } });
  expect(last?.beyondBudget.items).toBe(17);
  expect(most).toBeLessThanOrEqual(10);
  expect(await waiting(crew)).toEqual([0, 5]);
  await crew.enqueue(all, await crew.open({ FLUX_LANES: crew.file, BUDGET_CREDITS: 'bfl=400' }));
  expect((await crew.ended()).items.archived).toBe(32);
  expect(crew.simulators.map((simulator) => accepted(simulator).length)).toEqual([12, 20]);
});

test('items that wait for a closed account keep none of another from being fed, and each has a window at most', async () => {
  const crew = await startLanes(LANES, WINDOW);
  const state = crew.connections.lanes.find(({ lane }) => lane.name === 'main')?.state;
  await state?.tripBreaker({ refusal: 'not-found', message: 'so it is', byProbe: false });
  await crew.enqueue([...ofKie(20), ...ofBfl(12)]);
  await crew.work();
  const { last, most } = await followed(crew);
  expect(last).toMatchObject({ outlook: 'stopped', items: { archived: 12, queued: 20 } });
  expect(most).toBeLessThanOrEqual(10);
  await state?.resetBreaker();
  expect((await crew.ended()).items.archived).toBe(32);
  expect(crew.simulators.map((simulator) => accepted(simulator).length)).toEqual([20, 12]);
});
