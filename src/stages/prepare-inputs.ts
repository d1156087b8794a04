import { inputReferencesOf } from '../items/input-reference.ts';
import type { Item } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { isKeyInDoubt } from '../items/submit-key.ts';
import { failedRecord, heldRecord } from '../items/transitions.ts';
import type { SubmitOutcome } from '../provider/provider.ts';
import { saysUnfetchable } from '../provider/unfetchable.ts';
import { endItem } from './end-item.ts';
import type { PreparedInputs, ReadyInputs } from './inputs.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';

/** Makes the pictures of an item reachable before anything is claimed: to upload one may take a minute. */
export async function prepareInputs(item: Item, run: Run, ports: Ports): Promise<PreparedInputs> {
  if (inputReferencesOf(item.request).length > 0 && ports.inputs) return ports.inputs.prepare(item, run.signal);
  return { kind: 'ready', request: item.request, goodUntil: Infinity, isFresh: true, release() {} };
}

/** An item whose pictures cannot be sent now, or never. No request was sent, and none is claimed. */
export async function leaveUnsent(
  why: Exclude<PreparedInputs, ReadyInputs>,
  item: Item,
  found: ItemRecord | undefined,
  ports: Ports,
): Promise<StageOutcome> {
  if (why.kind === 'later') return why;
  const end = (now: ItemRecord | undefined) => endedUnsent(why, item, found, now);
  const goneOn = await endItem(item, found, end, 'submit', ports);
  // It is another worker's by now: what became of that claim is still to be found out.
  return goneOn ? { kind: 'later', atMs: ports.now() + ports.settings.submitTimeoutMs } : { kind: 'done' };
}

/** A submit before this one may have started a task: that stays in doubt, so a person decides. Nothing where the record has gone on. */
function endedUnsent(
  { message, remedy }: Extract<PreparedInputs, { kind: 'refused' }>,
  item: Item,
  found: ItemRecord | undefined,
  now: ItemRecord | undefined,
) {
  const isInDoubt = now !== undefined && (now.state === 'claimed' || isKeyInDoubt(now));
  if (isInDoubt) {
    if (now.state !== found?.state || now.attempts !== found.attempts) return undefined;
    const then = [...(remedy === undefined ? [] : [remedy]), 'decide by held: resubmit or drop'].join('; then ');
    return heldRecord(item, now, {
      class: 'unknown-outcome',
      message: `It is unknown whether an earlier submit started a task (and was charged), and it cannot be submitted again. ${message}: ${then}`,
    });
  }
  if (now !== undefined && now.state !== 'queued' && now.state !== 'cancelled') return undefined;
  const text = remedy === undefined ? message : `${message}: ${remedy}; then retry`;
  return failedRecord(item, now, { class: 'invalid-parameters', message: text });
}

/**
 * Whether a submit was refused since the provider could not fetch a picture that had been uploaded earlier: then it is uploaded again.
 * One that was uploaded for just this submit is not, so this ends.
 */
export async function areToBeSentAgain(
  outcome: SubmitOutcome,
  { isFresh }: ReadyInputs,
  item: Item,
  ports: Ports,
): Promise<boolean> {
  if (isFresh || outcome.kind !== 'refused' || outcome.refusal !== 'invalid-parameters') return false;
  if (!saysUnfetchable(outcome.message)) return false;
  await ports.inputs?.forget(item.request);
  return true;
}
