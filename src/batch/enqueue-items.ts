import pMap from 'p-map';
import type { Records } from '../archive/records.ts';
import { type IdSet, idSet } from '../items/id-set.ts';
import { type Item, itemOf, laneOf, type NewItem, type Submitted } from '../items/item.ts';
import { type ItemState, isLive } from '../items/item-state.ts';
import { boundBy } from '../items/provider-list.ts';
import { reconcile } from '../items/reconcile.ts';
import type { ItemRecord } from '../items/record.ts';
import { requeuedRecord } from '../items/transitions.ts';
import type { Unreadable } from '../items/unreadable.ts';
import { type Archived, formerImage } from './adopt.ts';
import type { SeenItems } from './batch-look.ts';
import { chunksOf } from './chunks-of.ts';
import type { LeaveToFeed } from './leave-to-feed.ts';
import { type RecordedIds, recordedIds, type Settled, settled } from './settle-ids.ts';
import { type Planned, stepsOf } from './steps.ts';
import { type WithInputs, withoutFiles } from './store-inputs.ts';
import { takeInOthers } from './take-in-others.ts';

/** The side of the batch state that takes manifests in. */
export interface BatchIntake {
  /** Begins, or begins again; true when the batch has no items yet. It cannot end until it is sealed. */
  open(batch: string, facts: { archive: string; api: string; digest: string }): Promise<boolean>;
  states(batch: string, ids: readonly string[]): Promise<(ItemState | undefined)[]>;
  /** Sets each state unless it has changed since it was seen. Resolves with the ids whose state it changed. */
  admit(
    batch: string,
    entries: readonly { id: string; was: ItemState | undefined; to: ItemState }[],
  ): Promise<ReadonlySet<string>>;
  see(batch: string, ids: readonly string[]): Promise<void>;
  /**
   * Forgets what is archived or cancelled and not in the manifest any more; records and images stay in the archive. What lives, failed
   * or is held is kept, and noted as former.
   */
  forgetUnseen(batch: string): Promise<void>;
  /** Items that the manifest does not have. */
  noteFormer(batch: string, ids: readonly string[]): Promise<void>;
  seal(batch: string): Promise<void>;
}

export type EnqueuePorts = {
  now: () => number;
  records: Records;
  intake: BatchIntake;
  /** What items have cost whose record is gone stays counted when they are made again. */
  keepCharges(batch: string, ids: readonly string[]): Promise<void>;
  queues: {
    submitAll(items: readonly Item[]): Promise<void>;
    pollAll(items: readonly Submitted[]): Promise<void>;
    /** For items that had ended: the job of their end may not be gone yet. */
    submitAgain(items: readonly Item[]): Promise<void>;
    pollAgain(items: readonly Submitted[]): Promise<void>;
  };
  /** Gives an item the image of an archived one, at no cost. */
  adopt?(from: Archived, item: NewItem): Promise<boolean>;
  /** Stores the pictures that they start from. Called before anything is known of them elsewhere. */
  storeInputs?(items: readonly (NewItem & WithInputs)[]): Promise<void>;
  /** Notes the items in the manifest's order, under the ids that they have. */
  note?(items: readonly NewItem[]): Promise<void>;
  /** All are noted; called before the batch can end. */
  noted?(): Promise<void>;
  /** Takes what is more than the queue is to hold. */
  feed?: Pick<LeaveToFeed, 'begin' | 'take'>;
  settings: { onUnknown: 'hold' | 'resubmit'; pollGiveUpMs: number; storedTtlMs: number };
};

/** `unreadable`: items whose record cannot be read; they are left as they are. */
export type Enqueued = { items: number; submits: number; polls: number; unreadable?: Unreadable[] };

export type Manifest = {
  batch: string;
  digest: string;
  archive: string;
  api: string;
  /** Only some of its items were asked for: nothing can be said of the others. */
  isPart?: boolean;
  /** Items that had ended and whose record is gone may be paid for again; without it they are left as they are. */
  remake?: boolean;
  /** What was seen of the records a moment ago: the archived ones that Redis does not know need not be read again. */
  archived?: SeenItems;
};

const CHUNK = 1_000;
const RECORD_WRITES = 32;
/** Copied; each is held in memory. */
const IMAGES_AT_ONCE = 8;

/**
 * Takes a manifest's items in, whatever is known of them already: adds what was never sent, takes up what was, and leaves alone
 * what has ended. Running it again, after any crash or with an emptied Redis, comes to the same.
 */
export async function enqueueItems(
  manifest: Manifest,
  items: AsyncIterable<NewItem & WithInputs>,
  ports: EnqueuePorts,
  onProgress: (enqueued: Enqueued) => void = () => {},
): Promise<Enqueued> {
  const { batch } = manifest;
  const { archive, api, digest } = manifest;
  const isNew = await ports.intake.open(batch, { archive, api, digest });
  await ports.feed?.begin();
  const recorded = await recordedIds(ports.records.list(batch));
  // The manifest's own are taken out as they come.
  const taken = idSet();

  const sum: Enqueued = { items: 0, submits: 0, polls: 0 };
  const known = settled(batch, items, recorded, isNew ? undefined : ports.intake.states);
  for await (const read of chunksOf(known, CHUNK)) {
    await ports.storeInputs?.(read);
    const chunk = withoutFiles(read);
    await ports.note?.(chunk);
    const adopted = await adoptFormer(chunk, ports);
    const isRecorded = { has: (id: string) => recorded.has(id) || adopted.has(id) };
    const now = await forQueue(chunk, isRecorded, ports);
    const queued = now.map((item) => itemOf({ ...item, queuedAt: ports.now() }));
    const added = await enqueueChunk(manifest, queued, isRecorded, ports);
    const ids = queued.map(({ id }) => id);
    if (isNew) for (const id of ids) taken.add(id);
    else if (ids.length > 0) await ports.intake.see(batch, ids);
    sum.items += chunk.length;
    sum.submits += added.submits + chunk.length - queued.length;
    sum.polls += added.polls;
    if (added.unreadable.length > 0) sum.unreadable = [...(sum.unreadable ?? []), ...added.unreadable];
    onProgress(sum);
  }
  if (isNew) await takeInOthers(manifest, othersOf(recorded.ids, taken), ports);
  else if (!manifest.isPart) await ports.intake.forgetUnseen(batch);
  await ports.noted?.();
  await ports.intake.seal(batch);
  return sum;
}

function* othersOf(ids: ReadonlySet<string>, taken: Pick<IdSet, 'has'>): Generator<string> {
  for (const id of ids) if (!taken.has(id)) yield id;
}

/** But for those that are left to the feed. */
async function forQueue<T extends NewItem>(
  chunk: readonly T[],
  recorded: Pick<RecordedIds, 'has'>,
  { intake, feed }: EnqueuePorts,
): Promise<readonly T[]> {
  const [first] = chunk;
  if (!feed || !first) return chunk;
  const states = await intake.states(
    first.batch,
    chunk.map(({ id }) => id),
  );
  return feed.take(chunk, ({ id }, index) => states[index] === undefined && !recorded.has(id));
}

/** Takes over what is archived under a former name. Returns the items that have an image now. */
async function adoptFormer(items: readonly Settled<NewItem>[], ports: EnqueuePorts): Promise<ReadonlySet<string>> {
  const adopted = new Set<string>();
  const adopt = async ({ adopts, ...item }: Settled<NewItem>) => {
    const from = adopts && (await formerImage(ports.records, item.batch, adopts));
    if (from && (await ports.adopt?.(from, item))) adopted.add(item.id);
  };
  await pMap(items, adopt, { concurrency: IMAGES_AT_ONCE });
  return adopted;
}

async function enqueueChunk(
  { batch, remake = false, archived }: Manifest,
  items: readonly Item[],
  recorded: Pick<RecordedIds, 'has'>,
  ports: EnqueuePorts,
) {
  const { intake, queues, records, settings, now } = ports;
  const all = await stepsOf(batch, items, {
    ...{ now, records, recorded, states: intake.states, settings },
    ...(archived && { archived }),
  });
  const lost = all.filter(({ isLost }) => isLost);
  if (remake && lost.length > 0) {
    await ports.keepCharges(
      batch,
      lost.map(({ item }) => item.id),
    );
  }
  const wanted = all.filter(({ isLost }) => remake || !isLost);
  const planned = await pMap(wanted, (plan) => requeueFirst(batch, plan, ports), { concurrency: RECORD_WRITES });
  await intake.admit(
    batch,
    planned.flatMap(({ item, was, step }) =>
      step.admitAs === undefined ? [] : [{ id: item.id, was, to: step.admitAs }],
    ),
  );
  const submits = planned.filter(({ step }) => step.job === 'submit');
  const polls = planned.flatMap(({ item, was, step, record }) => {
    const submitted = step.job === 'poll' && record ? taskOf(item, record, ports) : undefined;
    return submitted ? [{ item: submitted, was }] : [];
  });
  await addJobs(submits, queues.submitAll, queues.submitAgain);
  await addJobs(polls, queues.pollAll, queues.pollAgain);
  const unreadable = all.flatMap((plan) => (plan.unreadable ? [plan.unreadable] : []));
  return { submits: submits.length, polls: polls.length, unreadable };
}

/** The record comes before state and job. One that has gone on, as when its task turned up, says anew what is to be done. */
async function requeueFirst(
  batch: string,
  plan: Planned<Item>,
  { records, settings, now }: EnqueuePorts,
): Promise<Planned<Item>> {
  const { step, record: known, ...rest } = plan;
  if (!step.requeueRecord) return plan;
  const stepOf = (record: ItemRecord | undefined) => reconcile(undefined, record, { ...settings, now: now() });
  const requeue = (record: ItemRecord | undefined) =>
    record && stepOf(record).requeueRecord ? requeuedRecord(record) : undefined;
  const { record } = await records.update(batch, plan.item.id, requeue, known);
  return { ...rest, step: stepOf(record), ...(record && { record }) };
}

/** The task that is to be asked for. Undefined for a record without one. */
function taskOf(item: Item, record: ItemRecord, { now, settings }: EnqueuePorts): Submitted | undefined {
  if (!('taskId' in record) || record.taskId === undefined) return undefined;
  return {
    ...boundBy(item, record),
    taskId: record.taskId,
    submittedAt: Date.parse(record.timings.submitted ?? record.timings.queued),
    giveUpAt: now() + settings.pollGiveUpMs,
    recorded: true,
    ...laneOf(record),
  };
}

/** Of an item that had ended the former job may still be there: it is added in another way. */
async function addJobs<T>(
  plans: readonly { item: T; was: ItemState | undefined }[],
  add: (items: readonly T[]) => Promise<void>,
  addAgain: (items: readonly T[]) => Promise<void>,
): Promise<void> {
  const hadEnded = ({ was }: { was: ItemState | undefined }) => was !== undefined && !isLive(was);
  const ended = plans.filter(hadEnded).map(({ item }) => item);
  const others = plans.filter((plan) => !hadEnded(plan)).map(({ item }) => item);
  if (others.length > 0) await add(others);
  if (ended.length > 0) await addAgain(ended);
}
