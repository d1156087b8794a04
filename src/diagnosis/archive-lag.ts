import { formatDuration } from '../text/duration.ts';
import { plural } from '../text/terminal.ts';
import { type Finding, finding } from './finding.ts';
import type { Snapshot } from './snapshot.ts';

/** Fewer are stored in a moment, whatever was measured. */
export const FEWEST_WAITING = 32;

/**
 * Whether more finished images wait than can be archived before the first of them dies, at the pace of late. `landed` images came to the
 * archive within the last `landedMs`. Where none did, nothing is known of the pace.
 */
export function isBehind({
  waiting,
  landed,
  landedMs,
  diesInMs,
}: {
  waiting: number;
  landed: number;
  landedMs: number;
  diesInMs: number;
}): boolean {
  if (waiting < FEWEST_WAITING || landed === 0) return false;
  return waiting * landedMs > landed * diesInMs;
}

export function archiveBehind({ archiveLag, at }: Pick<Snapshot, 'archiveLag' | 'at'>): Finding[] {
  if (!archiveLag) return [];
  const { since, waiting, diesAt } = archiveLag;
  const left = formatDuration(Math.max(0, Math.floor((diesAt - at) / 1_000) * 1_000));
  return [
    finding(
      'archive-behind',
      `submits wait for the archive: ${plural(waiting, 'image')} are more than it takes before the first of them dies, in ${left}`,
      'it goes on by itself; flux-batch worker archive on another machine, or a larger --archive-concurrency',
      { since },
    ),
  ];
}
