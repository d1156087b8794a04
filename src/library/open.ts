import { setMaxListeners } from 'node:events';
import { type BatchLook, withOneLook } from '../batch/batch-look.ts';
import { enqueueManifest } from '../batch/enqueue.ts';
import { forgetBatch } from '../batch/forget.ts';
import { archiveLost, describeLost, lostItems } from '../batch/lost-items.ts';
import { isBatchPriority, LARGEST, prioritized } from '../batch/priority.ts';
import { configFrom } from '../config.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import { UsageError } from '../errors.ts';
import { type Budget, parseBudget } from '../money/amount.ts';
import { requirePrices } from '../money/budget.ts';
import { loadPrices } from '../money/load-prices.ts';
import { makeAgainQuestion, spendQuestion, type Wanted, waitingOf } from '../plan/questions.ts';
import { unlessAborted } from '../progress/unless-aborted.ts';
import { snapshotReader } from '../status/snapshot.ts';
import type { Connections } from '../wiring/connections.ts';
import { type StartFleet, WORKER_STAGES } from '../wiring/fleet.ts';
import type { EnqueueOptions, FluxBatch, OpenOptions, Settings } from './flux-batch.ts';
import { follow } from './follow.ts';
import type { LoadedManifest } from './load-manifest.ts';
import { openedOnce } from './opened-once.ts';
import { planned } from './planned.ts';
import { results } from './results.ts';
import { workersOf } from './workers-of.ts';

/** See `openFluxBatch`. The caller passes in the workers, because `src` must not import `workers`. */
export function openWith(startFleet: StartFleet, settings: Settings, { log }: OpenOptions): FluxBatch {
  const given = configFrom(settings);
  const config = { ...given, logLevel: log ? (given.logLevel ?? 'info') : ('silent' as const) };
  const opened = openedOnce(config, log);
  const crew = workersOf(startFleet, opened, config);
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await crew.drainAll();
    await opened.closers.closeAll();
  }

  const fluxBatch: FluxBatch = {
    async enqueue(manifest, options = {}) {
      opened.refuseClosed();
      const enqueuing = enqueue(await opened.connections(), manifest, options);
      return orAborted(enqueuing, options.signal);
    },
    async plan(manifest, { signal } = {}) {
      opened.refuseClosed();
      const [archive, prices] = [await opened.archive(), await loadPrices(config)];
      return planned(archive, manifest, { config, prices, signal });
    },
    async work(stages = WORKER_STAGES) {
      opened.refuseClosed();
      return crew.start(stages);
    },
    async *follow(batch, options = {}) {
      opened.refuseClosed();
      const signal = signalOf(options);
      yield* follow(batch, { connections: await opened.connections(), fault: crew.fault, signal });
    },
    async forget(batch) {
      opened.refuseClosed();
      await forgetBatch(await opened.connections(), batch);
    },
    async *results(batch, { where = [], ...options } = {}) {
      opened.refuseClosed();
      const conditions = typeof where === 'string' ? [where] : where;
      const [archive, prices] = [await opened.archive(), await loadPrices(config)];
      yield* results(archive, batch, { where: conditions, prices, signal: signalOf(options) });
    },
    async diagnose(batch) {
      opened.refuseClosed();
      return diagnose(await snapshotReader(await opened.connections())(batch));
    },
    close() {
      opened.refuseFromNowOn();
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]: () => fluxBatch.close(),
  };
  return fluxBatch;
}

async function enqueue(all: Connections, manifest: LoadedManifest, options: EnqueueOptions) {
  const opened = withOneLook(all, manifest.batch);
  try {
    return await enqueueOnce(opened, manifest, options);
  } finally {
    await opened.look.close();
  }
}

async function enqueueOnce(
  opened: Connections & { look: BatchLook },
  manifest: LoadedManifest,
  options: EnqueueOptions,
) {
  const { budget, priority = 0, remake = false, confirm, signal } = options;
  requireOptions(priority);
  const paying = { ...opened, config: { ...opened.config, budget: budgetOf(budget) ?? opened.config.budget } };
  requirePrices(manifest.totals.byModel, opened.prices, paying.config);
  const items = () => manifest.items(signal ? { signal } : {});
  const { batch, digest } = manifest;
  const lost = remake ? undefined : await lostItems(opened, batch, items());
  if (lost) {
    throw archiveLost(
      describeLost(batch, lost, opened),
      'Put the archive back, or enqueue with `remake: true` to pay again.',
    );
  }
  if (confirm) await ask(confirm, paying, { batch, items, byModel: manifest.totals.byModel, isPart: false });
  const sum = await enqueueManifest(paying, { batch, digest, remake }, prioritized(items(), priority));
  const { items: count, submits, polls, unreadable } = sum;
  return { items: count, submits, polls, ...(unreadable && { unreadable: unreadable.map(({ id }) => id) }) };
}

/** Throws a UsageError (`remake-unconfirmed`, `spending-unconfirmed`) for the first question that is denied. */
async function ask(
  confirm: NonNullable<EnqueueOptions['confirm']>,
  opened: Connections,
  wanted: Wanted,
): Promise<void> {
  const again = await makeAgainQuestion(opened, wanted);
  if (again && !(await confirm(again))) throw new UsageError('remake-unconfirmed', again.message);
  const spend = await spendQuestion(opened, wanted, await waitingOf(opened, wanted));
  if (spend && !(await confirm(spend))) throw new UsageError('spending-unconfirmed', spend.message);
}

/** Redis may be away for long. What has begun goes on, and is completed by the next call. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const result = await unlessAborted(
    promise.then((value) => ({ value })),
    signal,
  );
  if (result) return result.value;
  throw signal.reason;
}

function budgetOf(budget: number | string | undefined): Budget | undefined {
  if (budget === undefined) return undefined;
  try {
    return parseBudget(String(budget));
  } catch (cause) {
    const message = `Expected \`budget\` to be credits above 0, or text such as 12.50usd, got ${budget}`;
    throw new UsageError('option-invalid', message, { cause });
  }
}

function requireOptions(priority: number): void {
  if (!isBatchPriority(priority)) {
    throw new UsageError(
      'option-invalid',
      `Expected \`priority\` to be a whole number from 0 to ${LARGEST}, got ${priority}`,
    );
  }
}

/**
 * Returns a signal of our own that follows the caller's. Many reads listen to it at once, and on the caller's signal Node
 * would warn of a leak.
 */
function signalOf({ signal }: { signal?: AbortSignal }): AbortSignal {
  const own = AbortSignal.any(signal ? [signal] : []);
  setMaxListeners(0, own);
  return own;
}
