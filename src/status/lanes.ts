import { stopsForGood } from '../batch/counts.ts';
import type { LaneLook, RateUse, Snapshot } from '../diagnosis/snapshot.ts';
import { readCallbacks } from '../fleet/callbacks.ts';
import { redisCredits } from '../fleet/credits.ts';
import type { RedisLimiter } from '../fleet/limiter.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import { countJobs } from '../queue/jobless.ts';
import type { Rate } from '../text/duration.ts';
import type { Connections } from '../wiring/connections.ts';
import type { OpenLane } from '../wiring/lanes.ts';
import type { LookAtOwnWaiting } from './own-waiting.ts';

export async function rateOf(limiter: Pick<RedisLimiter, 'usage'>, { max, windowMs }: Rate): Promise<RateUse> {
  const usage = await limiter.usage();
  return { ...usage, limit: usage.limit ?? max, configured: max, windowMs };
}

/** One look at each account that somebody uses. */
export async function lookAtLanes(connections: LaneConnections, waitingForEither: number): Promise<LaneLook[]> {
  return Promise.all(usedOf(connections.lanes, waitingForEither).map((open) => lookAt(open, connections)));
}

type LaneConnections = Pick<Connections, 'lanes' | 'queues' | 'redis' | 'clock'>;

async function lookAt(
  { lane, keys, state, submitLimiter, pollLimiter, tasks }: OpenLane,
  { queues, redis, clock }: LaneConnections,
): Promise<LaneLook> {
  const { name, vendor, keyVariable, isNamed, isFirst, share, limitNames } = lane;
  const [breaker, submit, poll, running, waiting, credits, callbacks] = await Promise.all([
    state.breaker(),
    rateOf(submitLimiter, lane.rateLimit),
    rateOf(pollLimiter, lane.pollLimit),
    tasks ? tasks.count() : countJobs([queues.pollOf({ lane: isNamed ? name : undefined })]),
    countJobs([queues.submitsOf(vendor)]),
    redisCredits(redis, keys, clock).last(),
    readCallbacks(redis, keys, name),
  ]);
  return {
    ...{ name, vendor, keyVariable, isNamed, isFirst, share, breaker: breaker ?? null },
    ...{ rates: { submit, poll }, tasks: { running, most: lane.maxTasks }, limitNames },
    ...{ credits, callbacks, waiting },
  };
}

/**
 * The rates of the lanes of the default vendor together, where their windows are as long; else those of the first. What was counted is
 * counted of all of them, closed ones too: such a sum never falls.
 */
export function ratesTogether(lanes: Snapshot['lanes']): Snapshot['rates'] | undefined {
  const all = lanes.filter(({ vendor }) => vendor === 'kie');
  const own = all.filter(({ share, breaker }) => share > 0 && !breaker);
  const together = (of: 'submit' | 'poll'): RateUse | undefined => {
    const uses = own.map(({ rates }) => rates[of]);
    const every = all.map(({ rates }) => rates[of]);
    const [first = every[0]] = uses;
    if (!first) return undefined;
    const sum = (name: 'limit' | 'configured' | 'inWindow' | 'sent' | 'refused', among = uses) =>
      among.reduce((total, use) => total + use[name], 0);
    const counted = { ...first, sent: sum('sent', every), refused: sum('refused', every) };
    if (uses.length === 0 || uses.some(({ windowMs }) => windowMs !== first.windowMs)) return counted;
    return {
      ...counted,
      ...{ limit: sum('limit'), configured: sum('configured'), inWindow: sum('inWindow') },
      refusedAt: uses.reduce<number | null>(
        (latest, { refusedAt }) => Math.max(latest ?? 0, refusedAt ?? 0) || null,
        null,
      ),
    };
  };
  const [submit, poll] = [together('submit'), together('poll')];
  return submit && poll && { submit, poll };
}

/** How many tasks may run at once, in all lanes of the default vendor. */
export function mostTogether(lanes: Snapshot['lanes']): number {
  const own = lanes.filter(({ vendor, share }) => vendor === 'kie' && share > 0);
  return own.reduce((sum, { tasks }) => sum + tasks.most, 0);
}

/** Jobs of items that may be made by one provider or another. */
export function countForEither({ queues }: Pick<Connections, 'queues'>): Promise<number> {
  return countJobs([queues.submitsOf('either')]);
}

/**
 * Why the default provider's items are not submitted: as long as one of its lanes is open, they are. So are those that may go to another,
 * unless the lanes of that one are closed, too, and no time opens them.
 */
export function closedForAll(
  lanes: readonly Pick<LaneLook, 'vendor' | 'share' | 'breaker'>[],
  waitingForEither: number,
): TrippedBreaker | null {
  const others = lanes.filter(({ vendor, share }) => vendor !== 'kie' && share > 0);
  if (waitingForEither > 0 && others.some(({ breaker }) => !breaker || !stopsForGood(breaker))) return null;
  const own = lanes.filter(({ vendor, share }) => vendor === 'kie' && share > 0);
  return own.every(({ breaker }) => breaker) ? (own[0]?.breaker ?? null) : null;
}

/** What tells whether accounts are closed for all that waits of a batch. Asks little: somebody looks four times a second. */
export async function lookAtClosing(
  batch: string,
  { lanes, queues }: Pick<Connections, 'lanes' | 'queues'>,
  lookAtOwn: LookAtOwnWaiting,
) {
  const waitingForEither = await countForEither({ queues });
  const looked = await Promise.all(
    usedOf(lanes, waitingForEither).map(async ({ lane, state }) => {
      const [breaker, waiting] = await Promise.all([state.breaker(), countJobs([queues.submitsOf(lane.vendor)])]);
      return { ...lane, breaker: breaker ?? null, waiting };
    }),
  );
  const ownWaiting = await lookAtOwn(batch, looked);
  return { breaker: null, lanes: looked, waitingForEither, ...(ownWaiting && { ownWaiting }) };
}

/** Those that somebody uses. Who only looks may lack the key of one that others have. */
function usedOf(lanes: readonly OpenLane[], waitingForEither: number): readonly OpenLane[] {
  return lanes.filter(
    ({ lane }) => lane.isNamed || lane.vendor === 'kie' || lane.apiKey !== undefined || waitingForEither > 0,
  );
}
