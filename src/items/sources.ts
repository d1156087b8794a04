import type { Finished } from './item.ts';

/** Where an image can be had. A `link` URL is the stored one, to be exchanged for a temporary link first. */
export type Source = { kind: 'origin' | 'stored' | 'link'; url: string };

/**
 * The sources that should still be alive, the best first. The deadlines come from the API notes. So when all have passed, the
 * stored copy is still asked for: only a 404 proves that it is gone.
 */
export function sourcesOf(item: Finished, now: number): Source[] {
  const sources: Source[] = [];
  if (item.originUrl !== undefined && now < item.originDiesAt) sources.push({ kind: 'origin', url: item.originUrl });
  if (item.storedUrl !== undefined) {
    sources.push({ kind: 'stored', url: item.storedUrl });
    sources.push({ kind: 'link', url: item.storedUrl });
  }
  if (sources.length === 0 && item.originUrl !== undefined) sources.push({ kind: 'origin', url: item.originUrl });
  return sources;
}

/** When the next of the item's URLs dies, in epoch milliseconds. Archive jobs are ordered by it. */
export function nextDeadline(item: Finished, now: number): number {
  return item.originUrl !== undefined && now < item.originDiesAt ? item.originDiesAt : item.storedDiesAt;
}

/** BullMQ's largest priority; lower is served first. */
const LARGEST_PRIORITY = 2_097_151;
const STEP_MS = 10_000;

/**
 * The deadline as a queue priority. It is absolute, in steps of 10 s, so that items of different ages compare. It wraps around once
 * in 242 days; in the backlog of that moment younger items go first. Never 0: BullMQ serves 0 before all others.
 */
export function archivePriority(deadlineMs: number): number {
  return (Math.floor(deadlineMs / STEP_MS) % LARGEST_PRIORITY) + 1;
}
