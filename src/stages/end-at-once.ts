import type { Item, Submitted } from '../items/item.ts';
import type { Failed, Succeeded } from '../provider/provider.ts';
import type { Ports, StageOutcome } from './ports.ts';
import { submittedOf, type Task } from './record-task.ts';

/** What becomes of a task that is over already. */
export type OnEnded = (task: Submitted, ended: Succeeded | Failed) => Promise<StageOutcome>;

/** The answer to the submit was the result already. A crash on the way leaves a task on record that is asked for. */
export async function goOnEnded(
  task: Task,
  ended: Succeeded | Failed,
  { item, onEnded }: { item: Item; onEnded: OnEnded },
  ports: Ports,
): Promise<StageOutcome> {
  await ports.state.move(item, 'submitted', { submits: 1 });
  await onEnded(submittedOf(item, task, ports), ended);
  // A failed generation that is to be tried again: the job for it would be this one, which is still there.
  const isQueued = ended.kind === 'failed' && (await ports.records.read(item.batch, item.id))?.state === 'queued';
  return isQueued ? { kind: 'later', atMs: ports.now() } : { kind: 'done' };
}
