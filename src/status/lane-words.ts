import type { LaneLook } from '../diagnosis/snapshot.ts';
import { formatDuration } from '../text/duration.ts';
import { plain } from '../text/terminal.ts';

/** What an account said this long ago is told with its age. */
const OLD_MS = 5 * 60_000;

/** `1,200`, `1,200 (2h ago)` or `unknown`. */
export function creditsWords({ credits }: Pick<LaneLook, 'credits'>, now: number): string {
  if (!credits) return 'unknown';
  const ageMs = Math.floor((now - credits.at) / 60_000) * 60_000;
  const left = credits.left.toLocaleString('en-US', { maximumFractionDigits: 2 });
  return ageMs < OLD_MS ? left : `${left} (${formatDuration(ageMs)} ago)`;
}

/** `48 of 50`: so many of its latest tasks were called back before a poll found them. */
export function callbacksWords({ callbacks }: Pick<LaneLook, 'callbacks'>): string {
  if (!callbacks) return 'none';
  return callbacks.awaySince === null ? `${callbacks.came} of ${callbacks.of}` : 'stay away';
}

export const isOpen = ({ breaker, share }: Pick<LaneLook, 'breaker' | 'share'>) => !breaker && share > 0;

/** Whether items go out in it, and if not, why. */
export function standingOf({ breaker, share }: Pick<LaneLook, 'breaker' | 'share'>): string {
  if (breaker) return `closed: ${plain(breaker.refusal)}`;
  return share === 0 ? 'begins nothing' : 'open';
}
