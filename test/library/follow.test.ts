import { ReplyError } from 'ioredis';
import { expect, test } from 'vitest';
import { emptyCounts } from '../../src/batch/counts.ts';
import { stopOf } from '../../src/diagnosis/stopped.ts';
import type { Progress } from '../../src/library/flux-batch.ts';
import { follow } from '../../src/library/follow.ts';
import { openSnapshots } from '../../src/status/snapshot.ts';
import { BATCH } from '../batch/rig.ts';
import { jobs, type LaneOf, startLanes } from '../workers/lanes-crew.ts';

type Crew = Awaited<ReturnType<typeof startLanes>>;
const NEVER = new AbortController().signal;
const LANES = [
  { name: 'main', key: 'KIE_API_KEY', simulator: { credits: 16 } },
  { name: 'second', key: 'SECOND_KEY' },
];

test('a batch is followed to its end while one of its accounts is closed and another goes on', async () => {
  const crew = await startLanes(LANES);
  await crew.enqueue(jobs(30));
  await crew.connections.lanes[0]?.state.tripBreaker({
    ...{ refusal: 'out-of-credits', message: 'top up', probeAfterMs: 600_000, longestWaitMs: 600_000, byProbe: false },
  });
  await crew.work();
  const seen: string[] = [];
  for await (const { outlook, items } of follow(BATCH, { ...crew, fault: () => undefined, signal: NEVER }))
    seen.push(`${outlook} ${items.archived}`);
  expect(seen.at(-1)).toBe('ended 30');
});

const VENDORS: readonly LaneOf[] = [
  { name: 'main', key: 'KIE_API_KEY' },
  { name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' },
];
const OF_BFL = { provider: 'bfl', model: 'flux-kontext-pro' };
const CLOSED = { refusal: 'not-found', message: 'so it is', byProbe: false };

const mainOf = ({ lanes }: Crew['connections']) => lanes.find(({ lane }) => lane.name === 'main')?.state;

async function endOf(connections: Crew['connections']) {
  let last: Progress | undefined;
  for await (const one of follow(BATCH, { connections, fault: () => undefined, signal: NEVER })) last = one;
  return last;
}

test('a batch whose account is closed is stopped, also while another batch waits for an account that is open', async () => {
  const { connections, enqueue, work } = await startLanes(VENDORS);
  await mainOf(connections)?.tripBreaker(CLOSED);
  await enqueue(jobs(2));
  await enqueue(jobs(2, OF_BFL), connections, 'autumn');
  await connections.control.pause('autumn');
  await work();
  expect(await endOf(connections)).toMatchObject({ outlook: 'stopped', reason: { refusal: 'not-found' } });
  const read = openSnapshots(connections);
  const [own, both] = [await read([BATCH]), await read([BATCH, 'autumn'])];
  expect([own, both].map((look) => stopOf(look)?.breaker.refusal)).toEqual(['not-found', undefined]);
});

test('a batch is stopped where all that is not over budget waits for a closed account; out of budget where all of it is', async () => {
  const { connections, enqueue, work } = await startLanes(VENDORS, { BUDGET_CREDITS: 'bfl=4' });
  const kie = mainOf(connections);
  await kie?.tripBreaker(CLOSED);
  const ofBfl = jobs(3, OF_BFL).map((job, index) => ({ ...job, id: `bfl-${index}` }));
  await enqueue([...ofBfl, ...jobs(2)]);
  await work();
  expect(await endOf(connections)).toMatchObject({ outlook: 'stopped', items: { archived: 1, queued: 4 } });
  await kie?.resetBreaker();
  expect(await endOf(connections)).toMatchObject({ outlook: 'out-of-budget', items: { archived: 3, queued: 2 } });
  await kie?.tripBreaker(CLOSED);
  expect(await endOf(connections)).toMatchObject({ outlook: 'out-of-budget', reason: null });
});

test('what Redis refuses while a batch is followed is waited for; at the first look it is thrown', async () => {
  const { connections } = await startLanes(LANES);
  const denied = new ReplyError("NOPERM this user has no permissions to run the 'evalsha' command");
  const looking = (refused: readonly number[]) => {
    let looks = 0;
    const counts = async () => {
      if (refused.includes(looks++)) throw denied;
      const { items, ...more } = emptyCounts(BATCH);
      const archived = looks > 4 ? 2 : 1;
      return { ...more, sealed: true, total: 2, items: { ...items, queued: 2 - archived, archived } };
    };
    const state = { ...connections.state, counts };
    return follow(BATCH, { connections: { ...connections, state }, fault: () => undefined, signal: NEVER });
  };
  const seen: number[] = [];
  for await (const { items } of looking([2, 3])) if (seen.push(items.archived) === 2) break;
  expect(seen).toEqual([1, 2]);
  await expect(looking([0, 1]).next()).rejects.toThrow('NOPERM');
});
