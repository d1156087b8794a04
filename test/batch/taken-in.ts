import { enqueueItems } from '../../src/batch/enqueue-items.ts';
import type { Item } from '../../src/items/item.ts';
import { archive } from '../../src/stages/archive.ts';
import { poll } from '../../src/stages/poll.ts';
import { submit } from '../../src/stages/submit.ts';
import { BATCH, FIRST_RUN, itemNamed, type Rig } from '../stages/rig.ts';

const names = ['hero', 'teapot', 'room'];
export const items = names.map((name) => itemNamed(name));

export async function* stream(all: readonly Item[]) {
  yield* all;
}

export const takeIn = (rig: Rig, all: readonly Item[] = items, ports = rig.enqueuePorts) =>
  enqueueItems(
    { batch: BATCH, digest: 'digest', archive: rig.archive.url, api: rig.simulator.url },
    stream(all),
    ports,
  );

/** Runs whatever there is to run until nothing is left, as workers would. */
export async function work(rig: Rig): Promise<void> {
  const { submits, polls, archives } = rig.jobs;
  while (submits.size + polls.size + archives.size > 0) {
    for (const [id, { data }] of [...submits]) {
      submits.delete(id);
      if ((await submit(data, FIRST_RUN, rig.ports)).kind !== 'done') submits.set(id, { data });
    }
    for (const [id, { data }] of [...polls]) {
      await rig.untilEnded(data.taskId);
      polls.delete(id);
      if ((await poll(data, FIRST_RUN, rig.ports)).kind !== 'done') polls.set(id, { data });
    }
    for (const [id, { data }] of [...archives]) {
      archives.delete(id);
      if ((await archive(data, FIRST_RUN, rig.ports)).kind !== 'done') archives.set(id, { data });
    }
  }
}

export const statesOf = (rig: Rig, all: readonly Item[] = items) => Promise.all(all.map((item) => rig.stateOf(item)));
