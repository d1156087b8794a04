import { stopsForGood } from '../batch/counts.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Vendor } from '../items/item.ts';
import { formatDuration } from '../text/duration.ts';
import { plain } from '../text/terminal.ts';
import { type Finding, finding, type Kind } from './finding.ts';
import type { LaneLook, Snapshot } from './snapshot.ts';

const KIND_OF: Readonly<Record<string, Kind>> = {
  unauthorized: 'key-refused',
  'out-of-credits': 'out-of-credits',
  maintenance: 'api-maintenance',
  unreachable: 'api-unreachable',
  'too-many-unknown': 'too-many-unknown',
  'not-found': 'api-not-found',
};

/** The account that it is about, where there are several, and where its key is. */
export type StoppedLane = { name: string; vendor: Vendor; keyVariable: string };

/** Why the circuit breaker lets no submit through, and what ends that. */
export function stoppedFinding(breaker: TrippedBreaker, now: number, lane?: StoppedLane): Finding {
  const { refusal, message, since } = breaker;
  return finding(
    KIND_OF[refusal] ?? 'submitting-stopped',
    `${lane ? `${lane.name}: ` : ''}submitting is stopped (${plain(refusal)}): ${plain(message)}`,
    remedyOf(breaker, now, lane),
    { since, ...(lane && { lane: lane.name }) },
  );
}

export function remedyOf(breaker: TrippedBreaker, now: number, lane?: StoppedLane): string {
  return `${howItLifts(breaker, now, lane)}; by hand: flux-batch gate open${lane ? ` ${lane.name}` : ''}`;
}

function howItLifts(breaker: TrippedBreaker, now: number, lane: StoppedLane | undefined): string {
  switch (breaker.refusal) {
    case 'unauthorized':
      return `it lifts when the API accepts the key again (asked every 15s): check ${lane?.keyVariable ?? 'FLUX_API_KEY'}`;
    case 'out-of-credits':
      return 'it lifts when the account has credits again (asked every 15s): top it up';
    case 'maintenance':
      return `it lifts when a submit gets through: ${nextProbe(breaker, now)}`;
    case 'unreachable':
      return `nothing is lost meanwhile; it lifts when a submit gets through: ${nextProbe(breaker, now)}`;
    case 'too-many-unknown':
      return `see flux-batch held before paying for more; it lifts when a submit gets through: ${nextProbe(breaker, now)}`;
    case 'not-found':
      return `check ${lane?.vendor === 'bfl' ? 'BFL' : 'FLUX'}_API_URL, then run again: one submit goes first`;
    default:
      return 'it waits for a person';
  }
}

function nextProbe({ probeAt }: TrippedBreaker, now: number): string {
  if (probeAt === undefined || probeAt <= now) return 'the next one goes alone';
  return `one is let through in ${formatDuration(Math.ceil((probeAt - now) / 1_000) * 1_000)}`;
}

/** Why nothing that waits is submitted, and which account says so. */
export type Stop = { breaker: TrippedBreaker; lane?: StoppedLane };
type Closable = StoppedLane & Pick<LaneLook, 'isNamed' | 'share' | 'breaker' | 'waiting'>;
type Looked = Pick<Snapshot, 'breaker'> & { lanes: readonly Closable[] };

/**
 * What keeps all that waits from being submitted; undefined while a lane of any vendor that something waits for is open. One that may
 * open again by itself comes before one that waits for a person. Where nothing waits, it is about the default provider.
 */
export function stopOf({ lanes, breaker }: Looked): Stop | undefined {
  if (lanes.length === 0) return breaker ? { breaker } : undefined;
  const waiting = lanes.filter((lane) => lane.waiting > 0).map(({ vendor }) => vendor);
  const stops: Stop[] = [];
  for (const vendor of new Set(waiting.length > 0 ? waiting : (['kie'] as const))) {
    const own = lanes.filter((lane) => lane.vendor === vendor && lane.share > 0);
    const closed = own.flatMap((lane) => (lane.breaker ? [{ breaker: lane.breaker, ...shownOf(lane) }] : []));
    if (closed.length === 0 || closed.length < own.length) return undefined;
    stops.push(...closed);
  }
  return stops.find((stop) => !stopsForGood(stop.breaker)) ?? stops[0];
}

/** The default account is told of as the API itself. */
function shownOf({ name, vendor, keyVariable, isNamed }: Closable): { lane?: StoppedLane } {
  return isNamed || vendor !== 'kie' ? { lane: { name, vendor, keyVariable } } : {};
}

/**
 * The lanes that let no submit through. While another of the vendor's is open, or nothing waits for them, that is a warning: it costs
 * their share.
 */
export function stoppedLanes({ lanes, breaker, at }: Pick<Snapshot, 'lanes' | 'breaker' | 'at'>): Finding[] {
  if (lanes.length === 0) return breaker ? [stoppedFinding(breaker, at)] : [];
  return lanes.flatMap((lane) => {
    if (!lane.breaker || lane.share === 0) return [];
    if (!lane.isNamed && lane.vendor === 'kie') return [stoppedFinding(lane.breaker, at)];
    const stopped = stoppedFinding(lane.breaker, at, lane);
    const isSpared = lanes.some((one) => one.vendor === lane.vendor && one.share > 0 && !one.breaker);
    if (!isSpared && lane.waiting > 0) return [stopped];
    const { what, remedy, since } = stopped;
    return [finding('lane-closed', what, remedy, { lane: lane.name, ...(since !== undefined && { since }) })];
  });
}
