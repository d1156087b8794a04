import { expect, test } from 'vitest';
import { submit } from '../../src/stages/submit.ts';
import { FIRST_RUN, itemNamed, openRig, sentAgo } from './rig.ts';

const item = itemNamed('lighthouse');
const failure = { class: 'unknown-outcome' as const, message: 'who knows' };

test.each([
  { state: 'submitted' as const, taskId: 'task-1' },
  { state: 'held' as const, failure },
  { state: 'failed' as const, taskId: 'task-1', failure },
])('a cancelled item whose record is $state is what its record says', async (ended) => {
  const rig = await openRig();
  await rig.admit(item, 'cancelled');
  await rig.put({ ...sentAgo(item, 1_000), ...ended });
  expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
  expect(await rig.stateOf(item)).toBe(ended.state);
  expect(await rig.recordOf(item)).toMatchObject(ended);
  expect(rig.jobs.polls.size).toBe(ended.state === 'submitted' ? 1 : 0);
  expect(rig.simulator.ledger().submits.seen).toBe(0);
});
