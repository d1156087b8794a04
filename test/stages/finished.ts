import type { Finished } from '../../src/items/item.ts';
import type { FaultName } from '../../src/simulator/faults.ts';
import { archive } from '../../src/stages/archive.ts';
import { poll } from '../../src/stages/poll.ts';
import type { Remembered } from '../../src/stages/remembered.ts';
import { submit } from '../../src/stages/submit.ts';
import { FIRST_RUN, itemNamed, openRig, type Rig } from './rig.ts';

export const item = itemNamed('lighthouse');

/** An item whose image is ready, as the archive stage gets it. */
export async function finishedRig(options: Parameters<typeof openRig>[0] = {}) {
  const rig = await openRig(options);
  await rig.admit(item);
  await submit(item, FIRST_RUN, rig.ports);
  const task = rig.jobs.polls.get(item.id)?.data;
  if (!task) throw new Error('Expected a poll job');
  await rig.untilEnded(task.taskId);
  await poll(task, FIRST_RUN, rig.ports);
  const finished = rig.jobs.archives.get(item.id)?.data;
  if (!finished) throw new Error('Expected an archive job');
  const fault = (...names: FaultName[]) => rig.simulator.setFaults(names.map((name) => ({ name, share: 1 })));
  return { rig, finished, fault };
}

/** As a later run of the same job. */
export const told = (remembered: Remembered) => ({ ...FIRST_RUN, runs: 50, remembered });

/** Runs until it is done or has run so often, each run told what the one before asked for. Returns how often it ran. */
export async function runs(finished: Finished, ports: Rig['ports'], most: number): Promise<number> {
  let remembered: Remembered = {};
  for (let count = 1; count <= most; count++) {
    const outcome = await archive(finished, told(remembered), ports);
    if (outcome.kind === 'done') return count;
    remembered = outcome.remember ?? remembered;
  }
  return most;
}
