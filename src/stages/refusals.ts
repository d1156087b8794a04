import type { Source } from '../items/sources.ts';
import type { Refusal } from './remembered.ts';

/** A source that gave so many bodies that are no image, or the same one twice, will not give another. */
const MOST_REFUSALS = 3;
/**
 * A body that is cut off is as a rule the fault of a cache or of a connection that is over some time later. It is final when the same
 * bytes came so often, in so long.
 */
const MOST_CUT_OFF = { times: 5, inMs: 10 * 60_000 };
/** Of bodies that are cut off elsewhere each time. They are never final, so the latest are enough. */
const CUT_OFF_KEPT = 3;

/** Whether a source will not give another body than it gave before. */
export function isExhausted(source: Source['kind'], refusals: readonly Refusal[]): boolean {
  const ofSource = refusals.filter((refusal) => refusal.source === source);
  const sums = ofSource.flatMap(({ sha256, cutOff }) => (cutOff ? [] : [sha256]));
  const isStuck = ofSource.some(
    ({ cutOff }) => cutOff && cutOff.times >= MOST_CUT_OFF.times && cutOff.lastAt - cutOff.firstAt >= MOST_CUT_OFF.inMs,
  );
  return isStuck || sums.length >= MOST_REFUSALS || new Set(sums).size < sums.length;
}

/** With a body that is cut off, which may have come before. */
export function withCutOff(
  refusals: readonly Refusal[],
  { source, sha256, message }: Pick<Refusal, 'source' | 'sha256' | 'message'>,
  now: number,
): Refusal[] {
  const isSame = (refusal: Refusal) => refusal.source === source && refusal.sha256 === sha256;
  const before = refusals.find((refusal) => refusal.cutOff && isSame(refusal))?.cutOff;
  const cutOff = { times: (before?.times ?? 0) + 1, firstAt: before?.firstAt ?? now, lastAt: now };
  const others = refusals.filter((refusal) => !refusal.cutOff || !isSame(refusal));
  const siblings = others.filter((refusal) => refusal.cutOff && refusal.source === source);
  const dropped = siblings.slice(0, Math.max(0, siblings.length + 1 - CUT_OFF_KEPT));
  return [...others.filter((refusal) => !dropped.includes(refusal)), { source, sha256, message, cutOff }];
}

/** These bytes came before: they may be all that there is to have. */
export function cameBefore(refusals: readonly Refusal[], source: Source['kind'], sha256: string): boolean {
  return refusals.some(
    (refusal) => refusal.source === source && refusal.sha256 === sha256 && (refusal.cutOff?.times ?? 1) > 1,
  );
}
