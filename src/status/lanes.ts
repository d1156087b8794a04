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
export async function lookAtLanes({ lanes, queues }: Pick<Connections, 'lanes' | 'queues'>): Promise<LaneLook[]> {
  return Promise.all(usedOf(lanes).map((open) => lookAt(open, queues)));
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

/** Why the default provider's items are not submitted: as long as one of its lanes is open, they are. */
export function closedForAll(lanes: readonly Pick<LaneLook, 'vendor' | 'share' | 'breaker'>[]): TrippedBreaker | null {
  const own = lanes.filter(({ vendor, share }) => vendor === 'kie' && share > 0);
  return own.every(({ breaker }) => breaker) ? (own[0]?.breaker ?? null) : null;
}

/** What tells whether accounts are closed for all that waits. Asks little: somebody looks four times a second. */
export async function lookAtClosing({ lanes, queues }: Pick<Connections, 'lanes' | 'queues'>) {
  return Promise.all(
    usedOf(lanes).map(async ({ lane, state }) => {
      const [breaker, waiting] = await Promise.all([state.breaker(), countJobs([queues.submitsOf(lane.vendor)])]);
      return { ...lane, breaker: breaker ?? null, waiting };
    }),
  );
}

/** Those that somebody uses. */
function usedOf(lanes: readonly OpenLane[]): readonly OpenLane[] {
  return lanes.filter(({ lane }) => lane.isNamed || lane.vendor === 'kie' || lane.apiKey !== undefined);
}
