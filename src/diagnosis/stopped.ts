import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Vendor } from '../items/item.ts';
import { formatDuration } from '../text/duration.ts';
import { plain } from '../text/terminal.ts';
import { type Finding, finding, type Kind } from './finding.ts';

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
