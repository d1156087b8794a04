import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { doneOf, outlookOf } from '../batch/counts.ts';
import { knownBatch } from '../batch/find.ts';
import { stopOf } from '../diagnosis/stopped.ts';
import { FluxError } from '../errors.ts';
import { isDenied, isRedisAway } from '../redis/away.ts';
import { lookAtClosing } from '../status/lanes.ts';
import { type LookAtOwnWaiting, ownWaitingReader } from '../status/own-waiting.ts';
import type { Connections } from '../wiring/connections.ts';
import type { Progress } from './flux-batch.ts';

const EVERY_MS = 250;

export type FollowPorts = {
  connections: Pick<Connections, 'state' | 'control' | 'lanes' | 'queues'>;
  /** The fault that stopped the workers of this process, if any. After it the batch makes no progress. */
  fault: () => FluxError | undefined;
  signal: AbortSignal;
};

/** See `FluxBatch.follow`. */
export async function* follow(
  batch: string,
  { connections, fault, signal }: FollowPorts,
): AsyncGenerator<Progress, void, undefined> {
  let former: Progress | undefined;
  const lookAtOwn = ownWaitingReader(connections);
  await knownBatch(connections, batch);
  for (;;) {
    signal.throwIfAborted();
    const progress = await progressOf(batch, connections, lookAtOwn).catch((error: unknown) => {
      // What was permitted, and is refused now, is waited for, as the workers do.
      if (former && (isRedisAway(error) || isDenied(error))) return former;
      throw error;
    });
    const stopped = fault();
    if (stopped) throw stopped;
    if (!former || !isDeepStrictEqual({ ...former, at: progress.at }, progress)) yield progress;
    if (!mayGoOn(progress)) return;
    former = progress;
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

function mayGoOn({ outlook }: Progress): boolean {
  return outlook === 'enqueuing' || outlook === 'running' || outlook === 'paused';
}

async function progressOf(
  batch: string,
  { state, control, lanes, queues }: FollowPorts['connections'],
  lookAtOwn: LookAtOwnWaiting,
): Promise<Progress> {
  // The breaker first: what was submitted until it tripped is then in the counts, and is waited for.
  const breaker = stopOf(await lookAtClosing(batch, { lanes, queues }, lookAtOwn))?.breaker;
  const [counts, allPausedAt] = await Promise.all([state.counts(batch), control.fleetPausedAt()]);
  if (!counts) {
    throw new FluxError('batch-lost', `Redis has lost the batch ${batch}`, {
      facts: { batch },
      hint: 'Enqueue its manifest again: what was paid for is known from the archive.',
    });
  }
  const { items, total, credits, unsettled, overBudget } = counts;
  return {
    batch,
    at: Date.now(),
    outlook: outlookOf(counts, breaker, allPausedAt),
    items,
    total,
    done: doneOf(counts),
    credits,
    perhaps: unsettled,
    beyondBudget: overBudget,
    reason: breaker ? { refusal: breaker.refusal, message: breaker.message } : null,
  };
}
