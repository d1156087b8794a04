import type { LastFault } from '../fleet/faults.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { FaultKind } from '../stages/ports.ts';
import { formatDuration } from '../text/duration.ts';
import { plain, plural } from '../text/terminal.ts';

/** Somebody out of reach, without whom the batch does not go on. */
export type Wait = { kind: FaultKind | 'unreachable' | 'redis-unreachable'; message: string; forMs: number };

const WHOM: Readonly<Record<Wait['kind'], string>> = {
  unreachable: 'the API',
  'poll-unanswered': 'answers of the API',
  'images-unreachable': "the images' host",
  'archive-unreachable': 'the archive',
  'archive-denied': 'the archive to permit it',
  'archive-full': 'space in the archive',
  'redis-unreachable': 'Redis',
};

/** What is waited for, the longest first. Other reasons of the breaker are no wait: what they need is told with them. */
export function waitsOf(
  breaker: TrippedBreaker | undefined,
  faults: readonly LastFault[],
  fleetNow: number,
): readonly Wait[] {
  const forMs = ({ since }: { since: number }) => Math.max(0, fleetNow - since);
  const waits: Wait[] = faults.map((fault) => ({ kind: fault.kind, message: fault.message, forMs: forMs(fault) }));
  if (breaker?.refusal === 'unreachable')
    waits.push({ kind: 'unreachable', message: breaker.message, forMs: forMs(breaker) });
  return waits.sort((a, b) => b.forMs - a.forMs);
}

/** `waiting for Redis since 14:02:07 (5m 00s): it does not answer`. `now`: by this machine's clock. */
export function describeWait({ kind, message, forMs }: Wait, now: number): string {
  const since = new Date(now - forMs).toTimeString().slice(0, 8);
  return `waiting for ${whom({ kind })} since ${since} (${formatDuration(forMs)}): ${plain(message)}`;
}

export function whom({ kind }: Pick<Wait, 'kind'>): string {
  return WHOM[kind];
}

/** Of images that wait, those whose original URL has died meanwhile; nothing while there are none. */
export function describeRisk(outlived: number): string[] {
  if (outlived === 0) return [];
  const wait = outlived === 1 ? '1 image waits longer than its' : `${plural(outlived, 'image')} wait longer than their`;
  return [`at risk: ${wait} original URL lives`];
}
