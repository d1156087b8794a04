import { remedyOf } from '../diagnosis/stopped.ts';
import type { Refusal, SubmitOutcome } from '../provider/provider.ts';
import type { CircuitBreaker, Ports, StageSettings } from '../stages/ports.ts';

/** Refusals that every next submit would meet, whatever its item. */
const STOPS_THE_FLEET: readonly Refusal[] = ['unauthorized', 'out-of-credits', 'maintenance', 'not-found'];
/**
 * Only a submit can find out that these reasons are over. One goes through, alone, after this time, and the next after twice the
 * time. Other reasons are probed by asking for the account's credits (probe-breaker.ts), or wait for a person.
 */
const PROBE_AFTER_MS: Readonly<Record<string, number>> = {
  maintenance: 30_000,
  'too-many-unknown': 60_000,
  unreachable: 1_000,
};
/** A probe that cannot be sent costs nothing, so the fleet is soon back when the API is. */
const LONGEST_WAIT_MS: Readonly<Record<string, number>> = { unreachable: 30_000 };
/** One connection that is refused may be a restart behind a load balancer. So many within 10 s are an outage. */
const NOT_SENT = 3;
/** A few unknown outcomes among many submits are lost connections; more than this share of them is a provider in trouble. */
const UNKNOWN_SHARE = 0.2;

export function stopsTheFleet(refusal: Refusal): boolean {
  return STOPS_THE_FLEET.includes(refusal);
}

/** What a submit's outcome means for all others: trips the breaker, resets it when the probe got through, or leaves it. */
export async function updateBreaker(
  outcome: SubmitOutcome,
  isProbe: boolean,
  { state, settings, log }: { state: CircuitBreaker; settings: Pick<StageSettings, 'unknownLimit'>; log: Ports['log'] },
): Promise<void> {
  switch (outcome.kind) {
    case 'accepted':
      if (!isProbe) return;
      await state.resetBreaker();
      log.info({}, 'submitting again');
      return;
    case 'refused':
      if (stopsTheFleet(outcome.refusal)) await trip(outcome.refusal, outcome.message);
      // A refusal of the item itself does not say whether the reason for the trip is over.
      else if (isProbe) await state.allowProbe();
      return;
    case 'not-sent':
      // From a probe it is news, also when another reason tripped the breaker: that is found out again when the API is back.
      if (isProbe || (await state.noteNotSent()) >= NOT_SENT) await trip('unreachable', outcome.message);
      return;
    case 'unknown': {
      const most = settings.unknownLimit ?? 0;
      if (most === 0) return;
      const { unknown, submits } = await state.noteUnknown();
      if (unknown < most || unknown <= submits * UNKNOWN_SHARE) return;
      await trip(
        'too-many-unknown',
        `${unknown} of ${submits} submits of the last minute may or may not have been charged`,
      );
      return;
    }
    default:
      outcome satisfies never;
  }

  async function trip(refusal: string, message: string) {
    const probeAfterMs = PROBE_AFTER_MS[refusal];
    const longestWaitMs = LONGEST_WAIT_MS[refusal];
    const isNews = await state.tripBreaker({
      refusal,
      message,
      byProbe: isProbe,
      ...(probeAfterMs === undefined ? {} : { probeAfterMs }),
      ...(longestWaitMs === undefined ? {} : { longestWaitMs }),
    });
    // All submits under way meet the same. One of them tells, for the whole fleet.
    if (!isNews) return;
    const since = Date.now();
    const probe = probeAfterMs === undefined ? {} : { probeAt: since + probeAfterMs };
    const remedy = remedyOf({ refusal, message, since, ...probe }, since);
    log.error({ refusal, reason: message, remedy }, 'submitting is stopped');
  }
}
