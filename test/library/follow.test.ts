import { ReplyError } from 'ioredis';
import { expect, test } from 'vitest';
import { emptyCounts } from '../../src/batch/counts.ts';
import { follow } from '../../src/library/follow.ts';
import { BATCH } from '../batch/rig.ts';
import { jobs, startLanes } from '../workers/lanes-crew.ts';

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
