import { setMaxListeners } from 'node:events';
import { enqueueManifest } from '../batch/enqueue.ts';
import { isBatchPriority, LARGEST, prioritized } from '../batch/priority.ts';
import { configFrom } from '../config.ts';
import { FluxError, UsageError } from '../errors.ts';
import { probeAtStart } from '../fleet/probe-at-start.ts';
import { requirePrices } from '../money/budget.ts';
import { checkAccount } from '../provider/check-account.ts';
import { openClosers } from '../wiring/closers.ts';
import { type Connections, connect, openArchiveOf } from '../wiring/connections.ts';
import { longestDrainMs, type StartFleet, stopsWork, WORKER_STAGES, type WorkerStage } from '../wiring/fleet.ts';
import { type OpenedPorts, openPorts } from '../wiring/stage-ports.ts';
import type { EnqueueOptions, FluxBatch, OpenOptions, Settings, Workers } from './flux-batch.ts';
import { follow } from './follow.ts';
import type { LoadedManifest } from './load-manifest.ts';
import { once } from './once.ts';
import { results } from './results.ts';

/** See `openFluxBatch`; the workers are given from outside, since `src` does not know them. */
export function openWith(startFleet: StartFleet, settings: Settings, { log }: OpenOptions): FluxBatch {
  const given = configFrom(settings);
  const config = { ...given, logLevel: log ? (given.logLevel ?? 'info') : ('silent' as const) };
  const closers = openClosers();
  const started: Workers[] = [];
  let fault: FluxError | undefined;
  let closing: Promise<void> | undefined;

  const connections = once(async (): Promise<Connections> => {
    const opened = await connect(config, { patient: true, prove: true, ...(log && { writeLog: log }) });
    if (closing) {
      await opened.closers.closeAll();
      throw closed();
    }
    closers.push(() => opened.closers.closeAll());
    for (const warning of opened.warnings) opened.log.warn(warning);
    return opened;
  });
  const ports = once(async (): Promise<OpenedPorts> => openPorts(await connections()));
  const archive = once(() => openArchiveOf(config, closers));
  const refuseClosed = () => {
    if (closing) throw closed();
  };

  async function enqueue(manifest: LoadedManifest, { budget, priority = 0, signal }: EnqueueOptions) {
    requireOptions(budget, priority);
    const opened = await connections();
    const paying = { ...opened, config: { ...config, budgetCredits: budget ?? config.budgetCredits } };
    requirePrices(manifest.totals.byModel, opened.prices, paying.config);
    const items = manifest.items(signal ? { signal } : {});
    const { items: count, submits, polls } = await enqueueManifest(paying, manifest, prioritized(items, priority));
    return { items: count, submits, polls };
  }

  async function work(stages: readonly WorkerStage[]): Promise<Workers> {
    const opened = await connections();
    const acting = await ports();
    await checkAccount(acting.provider, opened);
    await probeAtStart(opened, acting, (why, how) => opened.log.warn({ how }, why));
    const onTrouble = (error: unknown) => {
      opened.log.warn({ error: String(error) }, 'trouble');
      if (stopsWork(error)) fault ??= error;
    };
    refuseClosed();
    fault = undefined;
    const fleet = startFleet(opened, acting, { stages, onTrouble });
    const drain = (withinMs = longestDrainMs(config)) => fleet.drain(withinMs);
    const workers = { drain, [Symbol.asyncDispose]: async () => void (await drain()) };
    started.push(workers);
    return workers;
  }

  async function close(): Promise<void> {
    await Promise.all(started.map((workers) => workers.drain()));
    await closers.closeAll();
  }

  const fluxBatch: FluxBatch = {
    async enqueue(manifest, options = {}) {
      refuseClosed();
      return enqueue(manifest, options);
    },
    async work(stages = WORKER_STAGES) {
      refuseClosed();
      return work(stages);
    },
    async *follow(batch, options = {}) {
      refuseClosed();
      const signal = signalOf(options);
      yield* follow(batch, { connections: await connections(), fault: () => fault, signal });
    },
    async *results(batch, { where = [], ...options } = {}) {
      refuseClosed();
      const conditions = typeof where === 'string' ? [where] : where;
      yield* results(await archive(), batch, { where: conditions, signal: signalOf(options) });
    },
    close() {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]: () => fluxBatch.close(),
  };
  return fluxBatch;
}

function closed(): FluxError {
  return new FluxError('closed', 'This FluxBatch was closed');
}

function requireOptions(budget: number | undefined, priority: number): void {
  if (budget !== undefined && !(budget > 0)) {
    throw new UsageError('option-invalid', `Expected \`budget\` to be a number of credits above 0, got ${budget}`);
  }
  if (!isBatchPriority(priority)) {
    throw new UsageError(
      'option-invalid',
      `Expected \`priority\` to be a whole number from 0 to ${LARGEST}, got ${priority}`,
    );
  }
}

/** Of our own: many reads listen to it at once, which would have Node warn of a leak in the caller's. */
function signalOf({ signal }: { signal?: AbortSignal }): AbortSignal {
  const own = AbortSignal.any(signal ? [signal] : []);
  setMaxListeners(0, own);
  return own;
}
