import { formatDuration } from '../text/duration.ts';
import type { Finding } from './finding.ts';

/** `waiting for Redis: it does not answer (since 14:02:07, 5m 00s)`. `now`: by the same clock as `since`. */
export function describeWhat({ what, since }: Pick<Finding, 'what' | 'since'>, now: number): string {
  if (since === undefined) return what;
  const at = new Date(since).toTimeString().slice(0, 8);
  return `${what} (since ${at}, ${formatDuration(Math.max(0, now - since))})`;
}

/** What is wrong, and below it what to do. */
export function describeFinding(finding: Finding, now: number): [what: string, remedy: string] {
  return [describeWhat(finding, now), `  → ${finding.remedy} (${finding.anchor})`];
}
