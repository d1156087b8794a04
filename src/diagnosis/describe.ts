import { formatDuration } from '../text/duration.ts';
import type { Finding } from './finding.ts';

/** `waiting for Redis: it does not answer (since 14:02:07, 5m 00s)`. `now`: by the same clock as `since`. */
export function describeWhat({ what, since }: Pick<Finding, 'what' | 'since'>, now: number): string {
  if (since === undefined) return what;
  const at = new Date(since).toTimeString().slice(0, 8);
  return `${what} (since ${at}, ${formatDuration(wholeSeconds(now - since))})`;
}

/** So that a line that says nothing new looks the same. */
const wholeSeconds = (ms: number) => Math.max(0, Math.floor(ms / 1_000) * 1_000);

/** What is wrong, and below it what to do. */
export function describeFinding(finding: Finding, now: number): [what: string, remedy: string] {
  return [describeWhat(finding, now), `  → ${finding.remedy} (${finding.anchor})`];
}
