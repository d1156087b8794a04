import type { Logger } from 'pino';
import { callbackTokens, callbackUrl } from '../callbacks/token.ts';
import { noCallbacks } from '../fleet/callbacks.ts';
import { redisCredits } from '../fleet/credits.ts';
import { redisDurations } from '../fleet/durations.ts';
import { type ImageRequest, type ProviderName, providerOf, type Submitted, vendorOf } from '../items/item.ts';
import { ORIGIN_LIFE_MS } from '../provider/bfl/poll-outcome.ts';
import { loadModels } from '../provider/models/load-models.ts';
import type { Provider } from '../provider/provider.ts';
import type { Lane } from '../settings/lanes.ts';
import type { Forward, Ports, StageSettings } from '../stages/ports.ts';
import { openCallbacks } from './callbacks.ts';
import type { Connections } from './connections.ts';
import { openInputs } from './inputs.ts';
import type { OpenLane } from './lanes.ts';
import { notingCredits } from './noting-credits.ts';
import { once } from './once.ts';
import { openProvider } from './open-provider.ts';

/** A lane that this process has the key of. */
export type UsableLane = OpenLane & {
  /** For what is asked of the account and not of a task. */
  provider: Provider;
  /** What the stages act on for a request in this account, where they would act on `base` without lanes. */
  portsFor(base: Ports, request: ImageRequest): Promise<Ports>;
};
/** Which variable this process lacks, and of which lane. */
export type NoKey = { lacksKey: string; lane: string };
export type Accounts = {
  all: readonly UsableLane[];
  /** Those that it may be submitted in. At least one. */
  toSubmit(request: ImageRequest): readonly UsableLane[] | NoKey;
  /** The one that the task runs in. */
  ofTask(task: Submitted): UsableLane | NoKey;
};

export type KeyedLane = OpenLane & { lane: Lane & { apiKey: string } };

export function hasKey(open: OpenLane): open is KeyedLane {
  return open.lane.apiKey !== undefined;
}

/** `first`: the client of the default account, where there is its key. */
export function openAccounts(connections: Connections, first: Provider): Accounts {
  const { config, lanes } = connections;
  const models = once(() => loadModels(config.modelsFile));
  const all = lanes.filter(hasKey).map((open) => openAccount(open, first, models, connections));
  return {
    all,
    toSubmit(request) {
      const vendor = vendorOf(request);
      const usable = all.filter(({ lane }) => lane.vendor === vendor && lane.share > 0);
      if (usable.length > 0) return usable;
      const wanted = config.lanes.find((lane) => lane.vendor === vendor && lane.share > 0);
      return { lacksKey: wanted?.keyVariable ?? '', lane: wanted?.name ?? vendor };
    },
    ofTask({ lane: name, request }) {
      const isIts = (lane: Lane) =>
        name === undefined ? lane.isFirst && lane.vendor === vendorOf(request) : lane.isNamed && lane.name === name;
      const found = all.find(({ lane }) => isIts(lane));
      if (found) return found;
      const known = config.lanes.find(isIts);
      return { lacksKey: known?.keyVariable ?? 'FLUX_LANES', lane: name ?? vendorOf(request) };
    },
  };
}

type Models = ReturnType<typeof loadModels>;

function openAccount(open: KeyedLane, first: Provider, models: () => Models, connections: Connections): UsableLane {
  const { lane, keys, tasks, state, pollLimiter, limiterOf } = open;
  const isDefault = lane.vendor === 'kie' && lane.isFirst;
  const client = (name: ProviderName) => once(async () => openProvider(connections, name, lane, await models()));
  const clients = { 'kie-jobs': client('kie-jobs'), bfl: client('bfl') };
  const own = isDefault ? first : openProvider(connections, lane.vendor, lane);
  const inputs = isDefault ? undefined : openInputs(connections, own, lane);
  const durations = redisDurations(connections.redis, keys);
  // One for all of its jobs: what many of them meet is counted by their log.
  const logs = new WeakMap<Logger, Logger>();
  const logOf = (log: Logger) => {
    const own = logs.get(log) ?? log.child({ lane: lane.name });
    logs.set(log, own);
    return own;
  };
  const providerFor = async (base: Ports, request: ImageRequest) => {
    const name = providerOf(request);
    if (name === 'kie') return isDefault ? base.provider : own;
    return clients[name]();
  };
  const called =
    (!isDefault || lane.isNamed) && asksForCallbacks(lane, connections.config)
      ? openCallbacks(connections, keys, lane.name)
      : noCallbacks;
  return {
    ...open,
    provider: notingCredits(own, redisCredits(connections.redis, keys, connections.clock)),
    async portsFor(base, request) {
      const provider = await providerFor(base, request);
      if (isDefault && !lane.isNamed) return { ...base, provider };
      return {
        ...{ ...base, provider },
        ...(inputs && { inputs }),
        ...(!isDefault && { state, durations, pollLimiter, submitLimiter: limiterOf(request.model) }),
        callbacks: called,
        ...(tasks && { forward: countedForward(base.forward, tasks) }),
        ...(lane.isNamed && { log: logOf(base.log) }),
        settings: settingsIn(lane, base.settings, connections),
      };
    },
  };
}

/** A task is counted before its poll job is there, so that its slot is not given away while it is counted nowhere. */
function countedForward(forward: Forward, tasks: NonNullable<OpenLane['tasks']>): Forward {
  return {
    ...forward,
    async poll(item, atMs) {
      await tasks.add(item);
      await forward.poll(item, atMs);
    },
  };
}

function settingsIn(lane: KeyedLane['lane'], base: StageSettings, { config }: Connections): StageSettings {
  const { callbackUrlOf: _, ...settings } = base;
  const { callbackUrl: server } = config;
  const { path, tokens } = callbacksOf(lane, config);
  return {
    ...settings,
    ...(lane.vendor === 'bfl' && { originTtlMs: ORIGIN_LIFE_MS }),
    ...(lane.isNamed && { lane: lane.name }),
    limitNames: lane.limitNames,
    ...(server !== undefined &&
      asksForCallbacks(lane, config) && {
        callbackUrlOf: (item) => callbackUrl(server, `${path}${tokens.mint(item)}`),
      }),
  };
}

function asksForCallbacks({ vendor }: Lane, { callbackUrl, bfl }: Connections['config']): boolean {
  return callbackUrl !== undefined && (vendor === 'kie' || bfl.callbacks);
}

/** Where a lane's callbacks come, under /callbacks/, and by which tokens they are known. */
export function callbacksOf(lane: KeyedLane['lane'], { apiKey }: Pick<Connections['config'], 'apiKey'>) {
  if (lane.isNamed) return { path: `lane/${lane.name}/`, tokens: callbackTokens(lane.apiKey) };
  // As before there were lanes: of the one key that all processes have.
  return { path: lane.vendor === 'bfl' ? 'bfl/' : '', tokens: callbackTokens(apiKey ?? lane.apiKey) };
}
