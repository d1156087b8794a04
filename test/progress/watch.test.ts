import { ReplyError } from 'ioredis';
import { expect, test } from 'vitest';
import { emptyCounts } from '../../src/batch/counts.ts';
import { watchBatch } from '../../src/progress/watch.ts';
import { openPorts } from '../../src/wiring/stage-ports.ts';
import { startCrew } from '../batch/crew.ts';

const TRIPPED = { refusal: 'out-of-credits', message: 'top up', since: 1 };

const QUIET = { breaker: undefined, items: { queued: 2 } };
const SUBMITTING = { breaker: TRIPPED, items: { queued: 1, submitting: 1 } };
const SUBMITTED = { breaker: TRIPPED, items: { queued: 1, submitted: 1 } };
const ARCHIVED = { breaker: TRIPPED, items: { queued: 1, archived: 1 } };

/** One look after another, at the breaker or at the counts, finds it so; the first round does not know yet that all is enqueued. */
const STORY = [QUIET, QUIET, QUIET, QUIET, SUBMITTING, SUBMITTING, SUBMITTING, SUBMITTED, SUBMITTED, ARCHIVED];

test('a batch that the breaker stops is watched until what was under way has ended, however the looks at both fall', async () => {
  const { connections } = await startCrew();
  let looks = 0;
  const look = () => STORY[Math.min(looks++, STORY.length - 1)];
  const state = {
    ...connections.state,
    counts: async () => {
      const { items, ...counts } = emptyCounts('broke');
      return { ...counts, sealed: true, total: 2, items: { ...items, ...look()?.items } };
    },
    breaker: async () => look()?.breaker,
  };
  const lanes = connections.lanes.map((open) => ({ ...open, state }));
  const end = await watchBatch({ ...connections, state, lanes }, await openPorts(connections), {
    batch: 'broke',
    enqueue: async () => ({ items: 2, submits: 2, polls: 0 }),
    signal: new AbortController().signal,
  });
  expect(end).toMatchObject({
    ended: false,
    stop: { breaker: TRIPPED },
    counts: { items: { queued: 1, archived: 1 } },
  });
});

const DENIED = new ReplyError("NOPERM this user has no permissions to run the 'evalsha' command");

test('a right that Redis takes away in the middle is waited for, whatever meets it', async () => {
  const { connections } = await startCrew();
  let looks = 0;
  const state = {
    ...connections.state,
    counts: async () => {
      looks += 1;
      if (looks === 3 || looks === 5) throw DENIED;
      const { items, ...counts } = emptyCounts('denied');
      return { ...counts, sealed: true, total: 1, items: { ...items, archived: 1 } };
    },
  };
  let asked = 0;
  const end = await watchBatch({ ...connections, state }, await openPorts(connections), {
    batch: 'denied',
    enqueue: async () => ({ items: 1, submits: 1, polls: 0 }),
    signal: new AbortController().signal,
    isOver: () => {
      asked += 1;
      if (asked === 1) throw DENIED;
      return asked > 2;
    },
  });
  expect(end).toMatchObject({ ended: true, counts: { items: { archived: 1 } } });
  expect(looks).toBeGreaterThan(4);
});

test('a right that was never there ends it at the first look', async () => {
  const { connections } = await startCrew();
  let looks = 0;
  const counts = () => (looks++ === 0 ? Promise.resolve(undefined) : Promise.reject(DENIED));
  const watching = watchBatch(
    { ...connections, state: { ...connections.state, counts } },
    await openPorts(connections),
    {
      batch: 'denied',
      enqueue: async () => ({ items: 1, submits: 1, polls: 0 }),
      signal: new AbortController().signal,
    },
  );
  await expect(watching).rejects.toThrow('NOPERM');
});
