import { callbackTokens, callbackUrl } from '../callbacks/token.ts';
import { type RedisBatchState, redisBatchState } from '../fleet/batch-state.ts';
import { bothLimiters } from '../fleet/both-limiters.ts';
import { noCallbacks } from '../fleet/callbacks.ts';
import { redisDurations } from '../fleet/durations.ts';
import { redisLimiter } from '../fleet/limiter.ts';
import { redisRouteNames } from '../fleet/route-names.ts';
import { type RunningTasks, redisRunningTasks } from '../fleet/running-tasks.ts';
import { type ImageRequest, providerOf } from '../items/item.ts';
import { ORIGIN_LIFE_MS } from '../provider/bfl/poll-outcome.ts';
import { loadModels } from '../provider/models/load-models.ts';
import { DEFAULT_PREFIX, keysOf } from '../redis/keys.ts';
import type { Limiter, Ports } from '../stages/ports.ts';
import { openCallbacks } from './callbacks.ts';
import type { Connections } from './connections.ts';
import { openInputs } from './inputs.ts';
import { apiKeyOf, openOther } from './open-provider.ts';
import { redisPollLimiter } from './poll-limiter.ts';

/** What is another than the default's for the items of a provider. */
export type ProviderPorts = Partial<Ports> & {
  /** The tasks that run in the account, where that is limited. */
  tasks?: RunningTasks;
  /** With the breaker of the account, where it is another than the default's. */
  accountState?: RedisBatchState;
};
/** The variable that holds the key, which this process lacks. */
export type NoKey = { lacksKey: string };
/** By the request of an item: which account it goes to decides all of it. */
export type PortsOf = (request: ImageRequest) => Promise<ProviderPorts | NoKey>;

/** Of `flux-kontext-max` fewer tasks may run at once at BFL (its documentation of 2025). */
const BFL_MOST_OF_MODEL: Readonly<Record<string, number>> = { 'flux-kontext-max': 6 };

/** Opens what a provider needs when the first of its items comes. */
export function portsOfProviders(connections: Connections, base: Ports): PortsOf {
  const models = once(() => loadModels(connections.config.modelsFile));
  // One account, one key and, as is assumed, one limit: only the client differs.
  const kieJobs = once(async () => ({ provider: openOther(connections, 'kie-jobs', await models()) }));
  const bfl = once(async () => openBfl(connections, base, await models()));
  return async (request): Promise<ProviderPorts | NoKey> => {
    const provider = providerOf(request);
    if (apiKeyOf(connections.config, provider) === undefined)
      return { lacksKey: provider === 'bfl' ? 'BFL_API_KEY' : 'FLUX_API_KEY' };
    switch (provider) {
      case 'kie':
        return {};
      case 'kie-jobs':
        return kieJobs();
      case 'bfl': {
        const { limiterOf, ...ports } = await bfl();
        return { ...ports, submitLimiter: limiterOf(request.model) };
      }
      default:
        return provider satisfies never;
    }
  };
}

/** An account of its own: breaker, limits and learned durations are kept apart from those of others by the names of their keys. */
async function openBfl(connections: Connections, base: Ports, models: Awaited<ReturnType<typeof loadModels>>) {
  const { config, redis, routes } = connections;
  const { apiUrl, rateLimit, pollLimit, maxTasks } = config.bfl;
  const suffix = await redisRouteNames(redis, keysOf(DEFAULT_PREFIX)).claimApi(apiUrl);
  const keys = keysOf(DEFAULT_PREFIX, suffix);
  const tasks = redisRunningTasks(redis, keys);
  const limited = (name: string, most: number, running: string): Limiter =>
    redisLimiter(redis, keys, {
      name,
      rate: rateLimit,
      requestTimeoutMs: config.submitTimeoutMs,
      running: { most, lists: [], sortedSets: [running] },
    });
  const all = limited('submit', maxTasks, keys.runningTasks(''));
  const ofModels = new Map(
    Object.entries(BFL_MOST_OF_MODEL).map(([model, most]) => [
      model,
      bothLimiters(limited(`submit-${model}`, Math.min(most, maxTasks), keys.runningTasks(model)), all),
    ]),
  );
  const state = redisBatchState(redis, keys, async (batch) => (await routes.of(batch)).finish(batch));
  const { callbackUrl: serveUrl } = config;
  const tokens = callbackTokens(config.apiKey ?? config.bfl.apiKey ?? '');
  const { callbackUrlOf: _, ...settings } = base.settings;
  const asksForCallbacks = config.bfl.callbacks && serveUrl !== undefined;
  const provider = openOther(connections, 'bfl', models);
  return {
    provider,
    inputs: openInputs(connections, provider, { apiUrl, account: `${apiUrl} ${config.bfl.apiKey}` }),
    state,
    accountState: state,
    durations: redisDurations(redis, keys),
    limiterOf: (model: string) => ofModels.get(model) ?? all,
    callbacks: asksForCallbacks ? openCallbacks(connections, keys, 'bfl') : noCallbacks,
    pollLimiter: redisPollLimiter(redis, keys, pollLimit),
    tasks,
    forward: {
      ...base.forward,
      // Before its poll job, so that its slot is not given away while the task is counted nowhere.
      async poll(item, atMs) {
        await tasks.add(item);
        await base.forward.poll(item, atMs);
      },
    } satisfies Ports['forward'],
    settings: {
      ...settings,
      originTtlMs: ORIGIN_LIFE_MS,
      ...(asksForCallbacks && { callbackUrlOf: (item) => callbackUrl(serveUrl, `bfl/${tokens.mint(item)}`) }),
    } satisfies Ports['settings'],
  };
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}
