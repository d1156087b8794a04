import type { Refusal, SubmitOutcome } from '../provider/provider.ts';
import type { Ports } from '../stages/ports.ts';

/** Refusals that the next submit would meet, too, whatever its item. */
const STOPS_THE_FLEET: readonly Refusal[] = ['unauthorized', 'out-of-credits', 'maintenance', 'not-found'];
/**
 * Reasons that only a submit can find over: it is let through, alone, after so long, then after ever longer. The others are probed by
 * asking for the account's credits (probe-gate.ts), or wait for a person.
 */
const PROBE_AFTER_MS: Readonly<Record<string, number>> = { maintenance: 30_000, 'too-many-unknown': 60_000 };
/** A few unknown outcomes among many submits are lost connections; more than this share of them is a provider in trouble. */
const UNKNOWN_SHARE = 0.2;

export function stopsTheFleet(refusal: Refusal): boolean {
  return STOPS_THE_FLEET.includes(refusal);
}

/** What a submit's outcome means for all others: closes the gate, opens it when the probe got through, or leaves it. */
export async function mindGate(
  outcome: SubmitOutcome,
  isProbe: boolean,
  { state, settings, log }: Pick<Ports, 'state' | 'settings' | 'log'>,
): Promise<void> {
  switch (outcome.kind) {
    case 'accepted':
      if (!isProbe) return;
      await state.openGate();
      log.info({}, 'submitting again');
      return;
    case 'refused':
      if (stopsTheFleet(outcome.refusal)) await close(outcome.refusal, outcome.message);
      else if (isProbe) await state.allowProbe();
      return;
    case 'not-sent':
      // Neither this nor a refusal of the item itself says anything of what closed the gate.
      if (isProbe) await state.allowProbe();
      return;
    case 'unknown': {
      const most = settings.unknownLimit ?? 0;
      if (most === 0) return;
      const { unknown, submits } = await state.noteUnknown();
      if (unknown < most || unknown <= submits * UNKNOWN_SHARE) return;
      await close(
        'too-many-unknown',
        `${unknown} of ${submits} submits of the last minute may or may not have been charged`,
      );
      return;
    }
    default:
      outcome satisfies never;
  }

  async function close(refusal: string, message: string) {
    const probeAfterMs = PROBE_AFTER_MS[refusal];
    await state.closeGate({
      refusal,
      message,
      byProbe: isProbe,
      ...(probeAfterMs === undefined ? {} : { probeAfterMs }),
    });
    log.error({ refusal, reason: message }, 'submitting is stopped');
  }
}
