import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure, ItemRecord } from '../archive/record.ts';
import { FluxError, messageOf } from '../errors.ts';
import type { Item, Submitted } from '../item.ts';
import type { Refusal, SubmitOutcome } from '../provider/provider.ts';
import {
  claimedRecord,
  failedRecord,
  heldRecord,
  releasedRecord,
  reopenedRecord,
  submittedRecord,
} from './item-record.ts';
import { firstPollAt } from './poll-schedule.ts';
import type { Ports, Run, Slot, StageOutcome } from './ports.ts';

/** While submitting is stopped for the fleet, each waiting job looks again this often. */
const GATE_CHECK_MS = 2_000;
/** Recording a task id is tried so often before Redis has to keep it for the next stage. */
const RECORD_RETRY_DELAYS_MS = [100, 500, 2_000];
const STOPS_THE_FLEET: readonly Refusal[] = ['unauthorized', 'out-of-credits', 'maintenance', 'not-found'];

/**
 * Spends money once: claim, slot, record `claimed`, POST, record the task id, hand on to poll.
 * Every way out leaves a record from which a later run knows whether the request may have gone out.
 */
export async function submit(item: Item, run: Run, ports: Ports): Promise<StageOutcome> {
  const found = await ports.records.read(item.batch, item.id);
  const settled = await settleFromRecord(item, found, ports);
  if (settled) return settled;

  const holder = randomUUID();
  const claim = await ports.state.claim(item, holder);
  if (claim.kind === 'refused') return { kind: 'done' };

  const slot = await takeSlot(item, run, ports);
  if (!slot) return { kind: 'later', atMs: ports.now() };
  try {
    return await submitInSlot(item, found, holder, slot, run, ports);
  } finally {
    await slot.end();
  }
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
      return undefined;
    case 'submitted':
      await handOn(item, found.taskId, Date.parse(found.timings.submitted ?? found.timings.queued), true, ports);
      return { kind: 'done' };
    case 'archived':
      await ports.state.move(item, 'archived');
      return { kind: 'done' };
    case 'failed':
    case 'held':
      // Ended, but for the state's move. A person's word would have made the record `queued` again.
      await ports.state.move(item, found.state);
      return { kind: 'done' };
    case 'claimed': {
      const answeredBy = Date.parse(found.timings.submitted ?? found.timings.queued) + ports.settings.submitTimeoutMs;
      // Its sender may be alive and waiting for the answer: only after the timeout can nobody write the task id any more.
      if (ports.now() < answeredBy) return { kind: 'later', atMs: answeredBy };
      if (ports.settings.onUnknown === 'resubmit') return undefined;
      await hold(item, found, 'The process ended while the request was on its way', undefined, ports);
      return { kind: 'done' };
    }
    default:
      return found satisfies never;
  }
}

/** The slot of a submit, ended exactly once whatever happens. */
type OwnSlot = Slot & { end(): Promise<void> };

async function takeSlot(item: Item, run: Run, ports: Ports): Promise<OwnSlot | undefined> {
  try {
    const slot = await ports.submitLimiter.take({ leadMs: claimLeadMs(), signal: run.signal });
    return endedOnce(slot);
  } catch (error) {
    await ports.state.move(item, 'queued');
    if (run.signal.aborted) return undefined;
    throw error;
  }
}

function endedOnce(slot: Slot): OwnSlot {
  let open = true;
  const once = async (end: () => Promise<void>) => {
    if (!open) return;
    open = false;
    await end();
  };
  return {
    ready: () => slot.ready(),
    sent: () => slot.sent(),
    settle: () => once(() => slot.settle()),
    refuse: (retryAfterMs) => once(() => slot.refuse(retryAfterMs)),
    release: () => once(() => slot.release()),
    end: () => once(() => slot.release()),
  };
}

async function submitInSlot(
  item: Item,
  found: ItemRecord | undefined,
  holder: string,
  slot: Slot,
  run: Run,
  ports: Ports,
): Promise<StageOutcome> {
  const confirmed = await ports.state.confirm(item, holder);
  if (confirmed === 'lost') return { kind: 'done' };
  if (confirmed === 'closed') {
    await ports.state.move(item, 'queued');
    return { kind: 'later', atMs: ports.now() + GATE_CHECK_MS };
  }
  const claimed = claimedRecord(item, found, ports.now());
  if (!(await writeClaim(claimed, found, ports))) {
    // Another holder's claim came first, as after Redis was flushed under a running worker. Its record decides.
    await ports.state.move(item, 'queued');
    return { kind: 'later', atMs: ports.now() };
  }
  try {
    await slot.ready();
  } catch (error) {
    await giveBack(item, claimed, ports);
    if (run.signal.aborted) return { kind: 'later', atMs: ports.now() };
    throw error;
  }
  const submittedAt = ports.now();
  const callBackUrl = ports.settings.callbackUrlOf?.(item);
  const outcome = await ports.provider.submit(item.request, {
    onSent: () => slot.sent(),
    ...(callBackUrl === undefined ? {} : { callBackUrl }),
  });
  return settleOutcome(outcome, { item, claimed, submittedAt, slot, run }, ports);
}

type Attempt = { item: Item; claimed: ItemRecord; submittedAt: number; slot: Slot; run: Run };

async function settleOutcome(outcome: SubmitOutcome, attempt: Attempt, ports: Ports): Promise<StageOutcome> {
  const { item, claimed, slot, run } = attempt;
  switch (outcome.kind) {
    case 'accepted': {
      const recorded = await recordTask(outcome.taskId, attempt, ports);
      await handOn(item, outcome.taskId, attempt.submittedAt, recorded, ports);
      // Only now: until its poll job is there the slot counts as the running task.
      await slot.settle();
      return { kind: 'done' };
    }
    case 'not-sent': {
      await slot.release();
      const error = new FluxError('submit-not-sent', `The provider cannot be reached: ${outcome.message}`);
      if (run.lastAttempt) return fail(item, claimed, { class: 'unreachable', message: error.message }, ports);
      await giveBack(item, claimed, ports);
      return { kind: 'retry', error };
    }
    case 'unknown':
      await slot.settle();
      return settleUnknown(outcome, attempt, ports);
    case 'refused':
      if (outcome.refusal === 'rate-limited') {
        await slot.refuse(outcome.retryAfterMs);
        await giveBack(item, claimed, ports);
        return { kind: 'later', atMs: ports.now() };
      }
      await slot.settle();
      if (STOPS_THE_FLEET.includes(outcome.refusal)) {
        await ports.state.closeGate({ refusal: outcome.refusal, message: outcome.message });
        await giveBack(item, claimed, ports);
        return { kind: 'later', atMs: ports.now() + GATE_CHECK_MS };
      }
      return fail(
        item,
        claimed,
        { class: failureClassOf(outcome.refusal), code: outcome.code, message: outcome.message },
        ports,
      );
    default:
      return outcome satisfies never;
  }
}

function failureClassOf(refusal: Refusal): Failure['class'] {
  switch (refusal) {
    case 'content-policy':
    case 'invalid-parameters':
    case 'feature-disabled':
      return refusal;
    default:
      return 'internal';
  }
}

async function settleUnknown(
  outcome: Extract<SubmitOutcome, { kind: 'unknown' }>,
  attempt: Attempt,
  ports: Ports,
): Promise<StageOutcome> {
  const { item, claimed, run } = attempt;
  if (ports.settings.onUnknown === 'resubmit' && !run.lastAttempt) {
    const error = new FluxError('submit-unknown', `The outcome of the submit is unknown: ${outcome.message}`);
    await ports.records.write(reopenedRecord(claimed));
    await ports.state.move(item, 'queued');
    return { kind: 'retry', error };
  }
  await hold(item, claimed, outcome.message, outcome.code, ports);
  return { kind: 'done' };
}

/** The claim's create fences two holders of one item; after an earlier attempt there is a record to replace. */
async function writeClaim(claimed: ItemRecord, found: ItemRecord | undefined, ports: Ports): Promise<boolean> {
  const startedAt = performance.now();
  let written = true;
  if (found) await ports.records.write(claimed);
  else written = await ports.records.create(claimed);
  noteClaimTime(performance.now() - startedAt);
  return written;
}

async function recordTask(taskId: string, { item, claimed, submittedAt }: Attempt, ports: Ports): Promise<boolean> {
  const record = submittedRecord(submittedOf(item, taskId, submittedAt, true, ports), claimed);
  for (const delayMs of [...RECORD_RETRY_DELAYS_MS, undefined]) {
    try {
      await ports.records.write(record);
      return true;
    } catch (error) {
      ports.log.error(
        { batch: item.batch, item: item.id, taskId, reason: messageOf(error) },
        'task id not recorded yet',
      );
      if (delayMs !== undefined) await sleep(delayMs);
    }
  }
  return false;
}

async function handOn(item: Item, taskId: string, submittedAt: number, recorded: boolean, ports: Ports): Promise<void> {
  const submitted = submittedOf(item, taskId, submittedAt, recorded, ports);
  const durations = await ports.durations.sample(item.request.model);
  await ports.forward.poll(submitted, firstPollAt(submittedAt, durations));
  await ports.state.move(item, 'submitted', { submits: 1, credits: ports.settings.creditsOf(item.request.model) ?? 0 });
  ports.log.info({ batch: item.batch, item: item.id, stage: 'submit', taskId }, 'submitted');
}

function submittedOf(item: Item, taskId: string, submittedAt: number, recorded: boolean, ports: Ports): Submitted {
  // A task found long after its submit gets a full time of asking from now on: its answer lives for 14 days.
  const giveUpAt = Math.max(submittedAt, ports.now() - ports.settings.pollGiveUpMs / 2) + ports.settings.pollGiveUpMs;
  return { ...item, taskId, submittedAt, giveUpAt, recorded };
}

async function giveBack(item: Item, claimed: ItemRecord, ports: Ports): Promise<void> {
  await ports.records.write(releasedRecord(claimed));
  await ports.state.move(item, 'queued');
}

async function fail(item: Item, previous: ItemRecord, failure: Failure, ports: Ports): Promise<StageOutcome> {
  await ports.records.write(failedRecord(item, previous, failure));
  await ports.state.move(item, 'failed');
  ports.log.warn({ batch: item.batch, item: item.id, stage: 'submit', failure }, 'failed');
  return { kind: 'done' };
}

async function hold(
  item: Item,
  previous: ItemRecord,
  reason: string,
  code: number | undefined,
  ports: Ports,
): Promise<void> {
  const failure: Failure = {
    class: 'unknown-outcome',
    message: `It is unknown whether the submit started a task (and was charged): ${reason}`,
    ...(code === undefined ? {} : { code }),
  };
  await ports.records.write(heldRecord(item, previous, failure));
  await ports.state.move(item, 'held');
  ports.log.warn({ batch: item.batch, item: item.id, stage: 'submit', failure }, 'held');
}

let claimTimeMs = 5;

/** The claim is written just before the slot's time: this much earlier, learned from how long it takes. */
function claimLeadMs(): number {
  return Math.min(claimTimeMs * 1.5 + 2, 500);
}

function noteClaimTime(ms: number): void {
  claimTimeMs += (ms - claimTimeMs) * 0.1;
}
