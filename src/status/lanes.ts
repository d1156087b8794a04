import { stopsForGood } from '../batch/counts.ts';
import type { LaneLook, RateUse, Snapshot } from '../diagnosis/snapshot.ts';
import type { RedisLimiter } from '../fleet/limiter.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import { countJobs } from '../queue/jobless.ts';
import type { Rate } from '../text/duration.ts';
import type { Connections } from '../wiring/connections.ts';
import type { OpenLane } from '../wiring/lanes.ts';

export async function rateOf(limiter: Pick<RedisLimiter, 'usage'>, { max, windowMs }: Rate): Promise<RateUse> {
  const usage = await limiter.usage();
  return { ...usage, limit: usage.limit ?? max, configured: max, windowMs };
}

/** One look at each account that somebody uses. */
export async function lookAtLanes(
  { lanes, queues }: Pick<Connections, 'lanes' | 'queues'>,
  waitingForEither: number,
): Promise<LaneLook[]> {
  // Who only looks may lack the key of one that others have.
  const used = lanes.filter(
    ({ lane }) => lane.isNamed || lane.vendor === 'kie' || lane.apiKey !== undefined || waitingForEither > 0,
  );
  return Promise.all(used.map((open) => lookAt(open, queues)));
}

async function lookAt(
  { lane, state, submitLimiter, pollLimiter, tasks }: OpenLane,
  queues: Connections['queues'],
): Promise<LaneLook> {
  const { name, vendor, keyVariable, isNamed, share } = lane;
  const [breaker, submit, poll, running, waiting] = await Promise.all([
    state.breaker(),
    rateOf(submitLimiter, lane.rateLimit),
    rateOf(pollLimiter, lane.pollLimit),
    tasks ? tasks.count() : countJobs([queues.pollOf({ lane: isNamed ? name : undefined })]),
    countJobs([queues.submitsOf(vendor)]),
  ]);
  return {
    ...{ name, vendor, keyVariable, isNamed, share, breaker: breaker ?? null },
    ...{ rates: { submit, poll }, tasks: { running, most: lane.maxTasks }, waiting },
  };
}

/** The rates of the lanes of the default vendor together, where their windows are as long; else those of the first. */
export function ratesTogether(lanes: Snapshot['lanes']): Snapshot['rates'] | undefined {
  const own = lanes.filter(({ vendor, share, breaker }) => vendor === 'kie' && share > 0 && !breaker);
  const together = (of: 'submit' | 'poll'): RateUse | undefined => {
    const uses = own.map(({ rates }) => rates[of]);
    const [first] = uses;
    if (!first || uses.some(({ windowMs }) => windowMs !== first.windowMs)) return first;
    const sum = (name: 'limit' | 'configured' | 'inWindow' | 'sent' | 'refused') =>
      uses.reduce((total, use) => total + use[name], 0);
    return {
      ...first,
      ...{ limit: sum('limit'), configured: sum('configured'), inWindow: sum('inWindow') },
      ...{ sent: sum('sent'), refused: sum('refused') },
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

/** The same, by what Redis says now. */
export async function breakerForAll({
  lanes,
  queues,
}: Pick<Connections, 'lanes' | 'queues'>): Promise<TrippedBreaker | null> {
  const waitingForEither = await countForEither({ queues });
  const looked = lanes.map(async ({ lane: { vendor, share }, state }) => {
    return { vendor, share, breaker: (await state.breaker()) ?? null };
  });
  return closedForAll(await Promise.all(looked), waitingForEither);
}
