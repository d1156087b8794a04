import type { Item } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { isKeyInDoubt } from '../items/submit-key.ts';
import type { Ports, StageOutcome } from './ports.ts';
import { replays } from './replays.ts';
import { hold, resumeTask } from './submit-outcome.ts';

/** What a record of an earlier attempt says: a task id goes on to poll, a claim without one is an unknown outcome. */
export async function settleFromRecord(
  item: Item,
  found: ItemRecord | undefined,
  ports: Ports,
): Promise<StageOutcome | undefined> {
  switch (found?.state) {
    case undefined:
    case 'cancelled':
      return undefined;
    case 'queued': {
      const mayStartAnother = isKeyInDoubt(found) && !replays(found, ports);
      if (!mayStartAnother || ports.settings.onUnknown === 'resubmit') return undefined;
      const message = 'Submits with its key were not answered, and the provider may have forgotten it';
      await hold(item, found, { message }, ports);
      return { kind: 'done' };
    }
    case 'submitted':
      return resumeTask(item, found, ports);
    case 'archived':
      await ports.state.move(item, 'archived');
      return { kind: 'done' };
    case 'failed':
    case 'held':
      // It has ended, only its state is behind. A person who wants it again would have made the record `queued`.
      await ports.state.move(item, found.state);
      return { kind: 'done' };
    case 'claimed': {
      const answeredBy = Date.parse(found.timings.submitted ?? found.timings.queued) + ports.settings.submitTimeoutMs;
      // Its sender may be alive and wait for the answer. Only after the timeout can nobody write the task id any more.
      if (ports.now() < answeredBy) return { kind: 'later', atMs: answeredBy };
      if (replays(found, ports) || ports.settings.onUnknown === 'resubmit') return undefined;
      const message = 'The process that claimed it left no answer: it ended before or after it sent';
      await hold(item, found, { message }, ports);
      return { kind: 'done' };
    }
    default:
      return found satisfies never;
  }
}
