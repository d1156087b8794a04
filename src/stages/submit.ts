import { randomUUID } from 'node:crypto';
import { FluxError } from '../errors.ts';
import type { Item } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { claimedRecord } from '../items/transitions.ts';
import type { OnEnded } from './end-at-once.ts';
import type { ReadyInputs } from './inputs.ts';
import { type OwnSlot, takeSlot } from './own-slot.ts';
import { passToItsProvider } from './pass-to-its-provider.ts';
import { settleEnded } from './poll.ts';
import type { Confirmation, Ports, Run, StageOutcome } from './ports.ts';
import { areToBeSentAgain, leaveUnsent, prepareInputs } from './prepare-inputs.ts';
import { keyTerms, replays } from './replays.ts';
import { settleFromRecord } from './settle-from-record.ts';
import { leave, type Permit, permits, recordCancelled, requeue, waitFor } from './submit-admission.ts';
import { giveBack, settleSubmit } from './submit-outcome.ts';
import { releaseClaim, releaseUnsent, withdrawClaim } from './withdraw-claim.ts';

/**
 * A pause or a cancel takes effect within a second. So a confirmation older than this is asked for again: what followed it may have
 * been slow (the archive, a pause after a 429).
 */
const CONFIRMED_FOR_MS = 250;
/** A request that then still waits, for a new connection, is dropped unwritten after this time. */
const SENT_WITHIN_MS = 750;
/** A dropped request is confirmed and tried again in the same slot. As a rule the connection is open at the second try. */
const CONNECTION_TRIES = 3;

/**
 * Spends money once: claim, slot, record `claimed`, POST, record the task id, hand on to poll.
 * Every way out leaves a record from which a later run knows whether the request may have gone out.
 */
export async function submit(item: Item, run: Run, ports: Ports): Promise<StageOutcome> {
  // A replay has its cost reserved already.
  const due = run.remembered.replays === undefined ? ports.settings.creditsOf(item.request) : 0;
  const admission = await ports.state.checkAdmission(item, due);
  if (admission !== 'admitted') return waitFor(admission, item, ports);

  const found = await releaseUnsent(await ports.records.read(item.batch, item.id), ports);
  if (await passToItsProvider(item, found, ports)) return { kind: 'done' };
  const settled = await settleFromRecord(item, found, ports);
  if (settled) return settled;

  const inputs = await prepareInputs(item, run, ports);
  if (inputs.kind !== 'ready') return leaveUnsent(inputs, item, found, ports);
  try {
    return await claimAndSubmit(item, found, inputs, run, ports);
  } finally {
    inputs.release();
  }
}

async function claimAndSubmit(
  item: Item,
  found: ItemRecord | undefined,
  inputs: ReadyInputs,
  run: Run,
  ports: Ports,
): Promise<StageOutcome> {
  const fencingToken = randomUUID();
  const claim = await ports.state.claim(item, fencingToken);
  if (claim.kind === 'refused') {
    if (claim.state === 'cancelled') await recordCancelled(item, ports);
    return { kind: 'done' };
  }
  // A worker that was confirmed before our claim has written its own by now. One that was not is refused from now on.
  if (found && !isSameAttempt(found, await ports.records.read(item.batch, item.id))) {
    return requeue(ports);
  }

  const slot = await takeSlot(item, run, ports);
  if (!slot) return { kind: 'later', atMs: ports.now() };
  try {
    return await submitInSlot(item, { found, fencingToken, inputs }, slot, run, ports);
  } finally {
    await slot.end();
  }
}

/** Each claim counts the record's attempts up. */
function isSameAttempt(found: ItemRecord, again: ItemRecord | undefined): boolean {
  return found.state === again?.state && found.attempts === again.attempts;
}

/** What a submit adds to the batch's cost at most: nothing where it can only be answered with a task that is counted already. */
function dueOf(item: Item, found: ItemRecord | undefined, ports: Ports): number | undefined {
  return replays(found, ports) ? 0 : ports.settings.creditsOf(item.request);
}

async function submitInSlot(
  item: Item,
  { found, fencingToken, inputs }: Pick<Permission, 'found' | 'fencingToken'> & Pick<Claimed, 'inputs'>,
  slot: OwnSlot,
  run: Run,
  ports: Ports,
): Promise<StageOutcome> {
  const sinceConfirmed = stopwatch(ports);
  const confirmed = await ports.state.confirm(item, fencingToken, dueOf(item, found, ports));
  if (!permits(confirmed)) return leave(item, confirmed, () => ports.state.move(item, 'queued'), ports);

  const { creditsOf, untoldCreditsOf, lane } = ports.settings;
  const price = { now: creditsOf(item.request), untold: untoldCreditsOf?.(item.request) };
  const terms = keyTerms(ports);
  const offer = terms && { fresh: randomUUID(), ...terms };
  const claimed = claimedRecord(item, found, ports.now(), price, { lane, offer });
  const attempt: Claimed = { item, inputs, claimed, slot, run, mayHaveTask: false };
  try {
    return await claimAndSend(attempt, { found, fencingToken, confirmed, sinceConfirmed }, ports);
  } catch (error) {
    if (attempt.mayHaveTask) throw error;
    await slot.end().catch(() => {});
    await withdrawClaim(item, claimed, ports);
    throw error;
  }
}

/** `mayHaveTask`: the request went out, and no answer says that it started no task. */
type Claimed = {
  item: Item;
  inputs: ReadyInputs;
  claimed: ItemRecord;
  slot: OwnSlot;
  run: Run;
  mayHaveTask: boolean;
};
type Permission = {
  found: ItemRecord | undefined;
  fencingToken: string;
  confirmed: Permit;
  sinceConfirmed: () => number;
};

async function claimAndSend(attempt: Claimed, permission: Permission, ports: Ports): Promise<StageOutcome> {
  const { item, claimed, slot, run } = attempt;
  const { found, fencingToken } = permission;
  let { sinceConfirmed } = permission;
  let confirmed: Confirmation = permission.confirmed;
  const credits = dueOf(item, found, ports);
  if (!(await writeClaim(claimed, found, ports))) {
    // Another worker's claim came first, as after Redis was flushed under a running worker. Its record decides.
    await ports.state.move(item, 'queued');
    return requeue(ports);
  }
  try {
    await slot.ready();
  } catch (error) {
    await giveBack(item, claimed, ports);
    if (run.signal.aborted) return { kind: 'later', atMs: ports.now() };
    throw error;
  }
  // Pictures whose URLs have died while the slot was waited for are made reachable anew, by the next run.
  for (let left = CONNECTION_TRIES; left > 0 && ports.now() < attempt.inputs.goodUntil; left -= 1) {
    // A claim that we created is ours alone until others may think us dead. Where a record was replaced, we ask again now that the
    // claim is written: a worker that claims from here on finds it, and one that claimed before has made us lose.
    if (found || sinceConfirmed() > CONFIRMED_FOR_MS) {
      sinceConfirmed = stopwatch(ports);
      confirmed = await ports.state.confirm(item, fencingToken, credits);
      // Lost, as to a worker that took the item over or with a Redis that was emptied: then the record alone is given back, where
      // it still is our claim.
      if (confirmed === 'lost') await releaseClaim(claimed, ports);
      if (!permits(confirmed)) return leave(item, confirmed, () => giveBack(item, claimed, ports), ports);
    }
    const outcome = await send(attempt, confirmed === 'probe', sinceConfirmed, ports);
    if (outcome) return outcome;
  }
  await giveBack(item, claimed, ports);
  return { kind: 'later', atMs: ports.now() };
}

/** Milliseconds. The steady clock stands still while a machine sleeps, and the other may be set back. The larger figure is believed. */
function stopwatch({ now }: Pick<Ports, 'now'>): () => number {
  const [steadily, byTheClock] = [performance.now(), now()];
  return () => Math.max(performance.now() - steadily, now() - byTheClock);
}

/** Undefined when it was not sent: the connection took so long that the confirmation may be out of date. */
async function send(
  attempt: Claimed,
  isProbe: boolean,
  sinceConfirmed: () => number,
  ports: Ports,
): Promise<StageOutcome | undefined> {
  const { item, inputs, claimed, slot } = attempt;
  const callBackUrl = ports.settings.callbackUrlOf?.(item);
  const submittedAt = ports.now();
  if (callBackUrl !== undefined) ports.callbacks.asked(submittedAt);
  let tooLate = false;
  const outcome = await ports.provider.submit(inputs.request, {
    onSent: () => {
      tooLate = sinceConfirmed() > SENT_WITHIN_MS;
      if (tooLate)
        throw new FluxError('submit-too-late', 'The connection took too long: what was confirmed may have changed');
      attempt.mayHaveTask = true;
      slot.sent();
    },
    ...(callBackUrl === undefined ? {} : { callBackUrl }),
    ...(attempt.claimed.submitKey && { submitKey: attempt.claimed.submitKey.key }),
  });
  if (outcome.kind === 'not-sent' || outcome.kind === 'refused') attempt.mayHaveTask = false;
  if (tooLate && outcome.kind === 'not-sent') return undefined;
  if (await areToBeSentAgain(outcome, inputs, item, ports)) {
    await slot.settle();
    await giveBack(item, claimed, ports);
    return { kind: 'later', atMs: ports.now() };
  }
  const onEnded: OnEnded = (task, ended) => settleEnded(task, ended, attempt.run, ports);
  return settleSubmit(outcome, { ...attempt, submittedAt, isProbe, onEnded }, ports);
}

/** Creating the claim fences two workers with one item. After an earlier attempt there is a record to replace. */
async function writeClaim(claimed: ItemRecord, found: ItemRecord | undefined, ports: Ports): Promise<boolean> {
  const startedAt = performance.now();
  let written = true;
  // Only over what we have found: whoever has changed it since has made us lose.
  const claim = (now: ItemRecord | undefined) => (found && isSameAttempt(found, now) ? claimed : undefined);
  if (found) ({ written } = await ports.records.update(claimed.batch, claimed.id, claim, found));
  else written = await ports.records.create(claimed);
  ports.claimLead.note(performance.now() - startedAt);
  return written;
}
