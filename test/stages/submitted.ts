import type { Submitted } from '../../src/items/item.ts';
import type { PollOutcome } from '../../src/provider/provider.ts';
import { submit } from '../../src/stages/submit.ts';
import { FIRST_RUN, itemNamed, openRig, type Rig } from './rig.ts';

export const item = itemNamed('lighthouse');

/** An item whose task was accepted, as the poll stage gets it. */
export async function submittedRig(options: Parameters<typeof openRig>[0] = {}) {
  const rig = await openRig(options);
  await rig.admit(item);
  await submit(item, FIRST_RUN, rig.ports);
  return { rig, task: takePoll(rig) };
}

export function takePoll(rig: Rig): Submitted {
  const job = rig.jobs.polls.get(item.id);
  if (!job) throw new Error('Expected a poll job');
  rig.jobs.polls.delete(item.id);
  return job.data;
}

export const answering = (rig: Rig, outcome: PollOutcome) => ({
  ...rig.ports,
  provider: { ...rig.ports.provider, poll: async () => outcome },
});
