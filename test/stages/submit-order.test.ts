import { expect, test } from 'vitest';
import type { Limiter } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { commonOf, FIRST_RUN, itemNamed, openRig } from './rig.ts';

const item = itemNamed('hero');

test('an accepted probe is recorded before the breaker is reset, also when Redis fails just then', async () => {
  const rig = await openRig();
  await rig.admit(item);
  await rig.state.tripBreaker({ refusal: 'maintenance', message: 'soon' });
  await rig.state.allowProbe();
  const state = { ...rig.state, resetBreaker: () => Promise.reject(new Error('OOM')) };
  await expect(submit(item, FIRST_RUN, { ...rig.ports, state })).rejects.toThrow('OOM');
  expect(rig.tasks()).toBe(1);
  expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
  expect(rig.jobs.polls.size).toBe(1);
});

test('a claim whose state was lost with Redis before it was sent is given back, and not held for an unknown outcome', async () => {
  const rig = await openRig();
  await rig.admit(item);
  // A record that is replaced is confirmed a second time, after it is written: Redis is emptied in between.
  await rig.put({ ...commonOf(item), state: 'queued' });
  const submitLimiter: Limiter = {
    async take(options) {
      const slot = await rig.ports.submitLimiter.take(options);
      return {
        ...slot,
        async ready() {
          await slot.ready();
          await rig.emptyRedis();
        },
      };
    },
  };
  expect(await submit(item, FIRST_RUN, { ...rig.ports, submitLimiter })).toMatchObject({ kind: 'later' });
  expect(rig.tasks()).toBe(0);
  expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
});
