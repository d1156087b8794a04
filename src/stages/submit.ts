import { randomUUID } from 'node:crypto';
import { FluxError } from '../errors.ts';
import type { Item } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { claimedRecord } from '../items/transitions.ts';
import type { Confirmation, Ports, Run, Slot, StageOutcome } from './ports.ts';
import { leave, type Permit, permits, recordCancelled, requeue, waitFor } from './submit-admission.ts';
import { giveBack, hold, resumeTask, settleSubmit } from './submit-outcome.ts';
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
  const admission = await ports.state.checkAdmission(item, ports.settings.creditsOf(item.request));
  if (admission !== 'admitted') return waitFor(admission, item, ports);

  const found = await releaseUnsent(await ports.records.read(item.batch, item.id), ports);
  const settled = await settleFromRecord(item, found, ports);
  if (settled) return settled;

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
    return await submitInSlot(item, found, fencingToken, slot, run, ports);
  } finally {
    await slot.end();
  }
}

/** Each claim counts the record's attempts up. */
function isSameAttempt(found: ItemRecord, again: ItemRecord | undefined): boolean {
  return found.state === again?.state && found.attempts === again.attempts;
}

/** What a record of an earlier attempt says: a task id goes on to poll, a claim without one is an unknown outcome. */
async function settleFromRecord(
  item: Item,
  found: ItemRecord | undefined,
  ports: Ports,
): Promise<StageOutcome | undefined> {
  switch (found?.state) {
    case undefined:
    case 'queued':
    case 'cancelled':
      return undefined;
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
      if (ports.settings.onUnknown === 'resubmit') return undefined;
      const message = 'The process that claimed it left no answer: it ended before or after it sent';
      await hold(item, found, { message }, ports);
      return { kind: 'done' };
    }
    default:
      return found satisfies never;
  }
}

/** A slot that is ended exactly once, whatever happens. */
type OwnSlot = Slot & { end(): Promise<void> };

async function takeSlot(item: Item, run: Run, ports: Ports): Promise<OwnSlot | undefined> {
  try {
    const slot = await ports.submitLimiter.take({ leadMs: ports.claimLead.ms(), signal: run.signal });
    return endedOnce(slot);
  } catch (error) {
    await ports.state.move(item, 'queued');
    if (run.signal.aborted) return undefined;
    throw error;
  }
}

function endedOnce(slot: Slot): OwnSlot {
  let open = true;
  let wentOut = false;
  const once = async (end: () => Promise<void>) => {
    if (!open) return;
    open = false;
    await end();
  };
  return {
    ready: () => slot.ready(),
    sent() {
      wentOut = true;
      slot.sent();
    },
    settle: () => once(() => slot.settle()),
    refuse: (retryAfterMs) => once(() => slot.refuse(retryAfterMs)),
    release: () => once(() => slot.release()),
    end: () => once(() => (wentOut ? slot.settle() : slot.release())),
  };
}

async function submitInSlot(
  item: Item,
  found: ItemRecord | undefined,
  fencingToken: string,
  slot: OwnSlot,
  run: Run,
  ports: Ports,
): Promise<StageOutcome> {
  const sinceConfirmed = stopwatch(ports);
  const credits = ports.settings.creditsOf(item.request);
  const confirmed = await ports.state.confirm(item, fencingToken, credits);
  if (!permits(confirmed)) return leave(item, confirmed, () => ports.state.move(item, 'queued'), ports);

  const price = { now: credits, untold: ports.settings.untoldCreditsOf?.(item.request) };
  const claimed = claimedRecord(item, found, ports.now(), price, ports.settings.lane);
  const attempt: Claimed = { item, claimed, slot, run, mayHaveTask: false };
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
type Claimed = { item: Item; claimed: ItemRecord; slot: OwnSlot; run: Run; mayHaveTask: boolean };
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
  const credits = ports.settings.creditsOf(item.request);
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
  for (let left = CONNECTION_TRIES; left > 0; left -= 1) {
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
  const { item, slot } = attempt;
  const callBackUrl = ports.settings.callbackUrlOf?.(item);
  const submittedAt = ports.now();
  if (callBackUrl !== undefined) ports.callbacks.asked(submittedAt);
  let tooLate = false;
  const outcome = await ports.provider.submit(item.request, {
    onSent: () => {
      tooLate = sinceConfirmed() > SENT_WITHIN_MS;
      if (tooLate)
        throw new FluxError('submit-too-late', 'The connection took too long: what was confirmed may have changed');
      attempt.mayHaveTask = true;
      slot.sent();
    },
    ...(callBackUrl === undefined ? {} : { callBackUrl }),
  });
  if (outcome.kind === 'not-sent' || outcome.kind === 'refused') attempt.mayHaveTask = false;
  if (tooLate && outcome.kind === 'not-sent') return undefined;
  return settleSubmit(outcome, { ...attempt, submittedAt, isProbe }, ports);
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
