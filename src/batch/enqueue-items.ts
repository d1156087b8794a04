import pLimit from 'p-limit';
import type { Records } from '../archive/records.ts';
import type { Item, Submitted } from '../items/item.ts';
import { type ItemState, isLive } from '../items/item-state.ts';
import { reconcile, type Step } from '../items/reconcile.ts';
import type { ItemRecord } from '../items/record.ts';
import { reopenedRecord } from '../items/transitions.ts';

/** The side of the batch state that takes manifests in. */
export interface BatchIntake {
  /** Begins, or begins again; true when the batch has no items yet. It cannot end until it is sealed. */
  open(batch: string, facts: { archive: string; digest: string }): Promise<boolean>;
  states(batch: string, ids: readonly string[]): Promise<(ItemState | undefined)[]>;
  /** Sets each state unless it has changed since it was seen. Resolves with the ids whose state it changed. */
  admit(
    batch: string,
    entries: readonly { id: string; was: ItemState | undefined; to: ItemState }[],
  ): Promise<ReadonlySet<string>>;
  see(batch: string, ids: readonly string[]): Promise<void>;
  /** Forgets ended items that the manifest does not have any more. Their records and images stay in the archive. */
  forgetUnseen(batch: string): Promise<void>;
  seal(batch: string): Promise<void>;
}

export type EnqueuePorts = {
  now: () => number;
  records: Records;
  intake: BatchIntake;
  queues: {
    submitAll(items: readonly Item[]): Promise<void>;
    pollAll(items: readonly Submitted[]): Promise<void>;
    /** For items that had ended: the job of their end may not be gone yet. */
    submitAgain(items: readonly Item[]): Promise<void>;
    pollAgain(items: readonly Submitted[]): Promise<void>;
  };
  settings: { onUnknown: 'hold' | 'resubmit'; pollGiveUpMs: number; storedTtlMs: number };
};

export type Enqueued = { items: number; submits: number; polls: number };

const CHUNK = 1_000;
const RECORD_READS = 32;

/**
 * Takes a manifest's items in, whatever is known of them already: adds what was never sent, takes up what was, and leaves alone
 * what has ended. Running it again, after any crash or with an emptied Redis, comes to the same.
 */
export async function enqueue(
  manifest: { batch: string; digest: string; archive: string },
  items: AsyncIterable<Omit<Item, 'queuedAt'>>,
  ports: EnqueuePorts,
  onProgress: (enqueued: Enqueued) => void = () => {},
): Promise<Enqueued> {
  const { batch } = manifest;
  const isNew = await ports.intake.open(batch, manifest);
  const recorded = new Set<string>();
  for await (const id of ports.records.list(batch)) recorded.add(id);

  const sum: Enqueued = { items: 0, submits: 0, polls: 0 };
  for await (const chunk of chunksOf(items, CHUNK)) {
    const queued = chunk.map((item) => ({ ...item, queuedAt: ports.now() }));
    const added = await enqueueChunk(batch, queued, recorded, ports);
    if (!isNew)
      await ports.intake.see(
        batch,
        queued.map((item) => item.id),
      );
    sum.items += queued.length;
    sum.submits += added.submits;
    sum.polls += added.polls;
    onProgress(sum);
  }
  if (!isNew) await ports.intake.forgetUnseen(batch);
  await ports.intake.seal(batch);
  return sum;
}

async function enqueueChunk(batch: string, items: readonly Item[], recorded: ReadonlySet<string>, ports: EnqueuePorts) {
  const states = await ports.intake.states(
    batch,
    items.map((item) => item.id),
  );
  const limit = pLimit(RECORD_READS);
  const plans = await Promise.all(
    items.map((item, index) => limit(() => planOf(item, states[index], recorded.has(item.id), ports))),
  );
  const admitted = await ports.intake.admit(
    batch,
    plans.flatMap(({ item, was, step }) =>
      step.admitAs === undefined ? [] : [{ id: item.id, was, to: step.admitAs }],
    ),
  );
  // Only by who admitted it, and before its job is there: a worker that has the item by another's word has written a newer record.
  await Promise.all(
    plans.flatMap(({ item, step, record }) =>
      step.reopen && record && admitted.has(item.id) ? [limit(() => ports.records.write(reopenedRecord(record)))] : [],
    ),
  );
  const submits = plans.filter(({ step }) => step.job === 'submit');
  const polls = plans.flatMap(({ submitted, was }) => (submitted ? [{ item: submitted, was }] : []));
  await inTurns(submits, ports.queues.submitAll, ports.queues.submitAgain);
  await inTurns(polls, ports.queues.pollAll, ports.queues.pollAgain);
  return { submits: submits.length, polls: polls.length };
}

type Planned = { item: Item; was: ItemState | undefined; step: Step; record?: ItemRecord; submitted?: Submitted };

async function planOf(
  item: Item,
  was: ItemState | undefined,
  recorded: boolean,
  ports: EnqueuePorts,
): Promise<Planned> {
  if (recorded && was === 'archived') return { item, was, step: {} };
  const record = recorded ? await ports.records.read(item.batch, item.id) : undefined;
  const step = reconcile(was, record, { ...ports.settings, now: ports.now() });
  if (!record) return { item, was, step };
  if (step.job !== 'poll' || !('taskId' in record) || record.taskId === undefined) return { item, was, step, record };
  const submitted: Submitted = {
    ...item,
    taskId: record.taskId,
    submittedAt: Date.parse(record.timings.submitted ?? record.timings.queued),
    giveUpAt: ports.now() + ports.settings.pollGiveUpMs,
    recorded: true,
  };
  return { item, was, step, submitted };
}

async function inTurns<T>(
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

async function* chunksOf<T>(source: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let chunk: T[] = [];
  for await (const one of source) {
    chunk.push(one);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
