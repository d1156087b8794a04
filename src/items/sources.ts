import { type Finished, SOURCE_KINDS, type Submitted } from './item.ts';

/**
 * Where an image can be had: at the model's own host, in the provider's storage, or by a link that the provider gives in exchange for
 * this URL.
 */
export type Source = { kind: 'origin' | 'stored' | 'link'; url: string };
/** As an answer names it. It lives so long after its task's completion; absent: nobody says how long. */
export type FoundSource = Source & { lifeMs?: number };

/** A copy whose life nobody states is planned to be gone after a day, and asked for all the same. */
const PLANNED_LIFE_MS = 24 * 3_600_000;

type Found = {
  sources: readonly FoundSource[];
  /** Of further images of the task. */
  more?: readonly { sources: readonly FoundSource[] }[];
  completedAt: number;
  discoveredAt: number;
};
type Dated = Source & { diesAt?: number };
/** A task that has ended, without what is told of its images. */
type Ended = Omit<Finished, 'originUrl' | 'originDiesAt' | 'storedUrl' | 'storedDiesAt' | 'sources' | 'more'>;

/** A task that has ended, with the deaths of its sources as times of our own clock. */
export function finishedOf(task: Submitted, { sources, more = [], completedAt, discoveredAt }: Found): Finished {
  const dated = (found: readonly FoundSource[]): Dated[] =>
    found.map(({ lifeMs, ...source }) => ({
      ...source,
      ...(lifeMs === undefined ? {} : { diesAt: completedAt + lifeMs }),
    }));
  const first = placed({ ...task, completedAt, discoveredAt }, dated(sources));
  return more.length === 0 ? first : { ...first, more: more.map((image) => ({ sources: dated(image.sources) })) };
}

/** Each image of a finished task as though it were its only one. */
export function eachImage(item: Finished): Finished[] {
  const { more, ...first } = item;
  if (!more) return [item];
  const { originUrl: _, originDiesAt: _1, storedUrl: _2, storedDiesAt: _3, sources: _4, ...ended } = first;
  return [first, ...more.map(({ sources }) => placed(ended, sources))];
}

/** At one of the two URLs, or, where they do not say it all, at one of `sources`. */
function placed(ended: Ended, dated: Dated[]): Finished {
  const planned = ended.completedAt + PLANNED_LIFE_MS;
  const diesAt = (source: { diesAt?: number }) => source.diesAt ?? planned;
  const originDiesAt = dated.length > 0 ? Math.min(...dated.map(diesAt)) : planned;
  // No host is punctual: where there is nothing but its copy, that is asked for longer than it is said to live.
  const kept = dated.filter(({ kind }) => kind !== 'origin').map(diesAt);
  const storedDiesAt = Math.max(...(kept.length > 0 ? kept : [planned]));
  const [origins, stored, links] = SOURCE_KINDS.map((kind) => dated.filter((source) => source.kind === kind));
  const urls = [origins, stored, links].map((found = []) => (found.length > 1 ? null : found[0]?.url));
  const [originUrl, storedUrl, link] = urls;
  if (originUrl === null || storedUrl === null || link !== storedUrl)
    return { ...ended, originDiesAt, storedDiesAt, sources: dated };
  return {
    ...ended,
    ...(originUrl === undefined ? {} : { originUrl }),
    originDiesAt,
    ...(storedUrl === undefined ? {} : { storedUrl }),
    storedDiesAt,
  };
}

/**
 * The sources that should still be alive, the best first. The deadlines come from the API notes. So a copy in the provider's storage
 * is still asked for when its time has passed, and so are all when there is no other: only a 404 proves that it is gone.
 */
export function sourcesOf(item: Finished, now: number): Source[] {
  const all = datedSources(item);
  const alive = all.filter(({ kind, diesAt = now + 1 }) => kind !== 'origin' || now < diesAt);
  return (alive.length > 0 ? alive : all).map(({ kind, url }) => ({ kind, url }));
}

/** When the next of the URLs of its images dies, in epoch milliseconds. Archive jobs are ordered by it. */
export function nextDeadline(item: Finished, now: number): number {
  const all = [...datedSources(item), ...(item.more ?? []).flatMap(({ sources }) => sources)];
  const ahead = all.flatMap(({ diesAt }) => (diesAt !== undefined && now < diesAt ? [diesAt] : []));
  return ahead.length === 0 ? item.storedDiesAt : Math.min(...ahead);
}

function datedSources({ sources, originUrl, originDiesAt, storedUrl, storedDiesAt }: Finished) {
  if (sources) return sources;
  return [
    ...(originUrl === undefined ? [] : [{ kind: 'origin' as const, url: originUrl, diesAt: originDiesAt }]),
    ...(storedUrl === undefined
      ? []
      : (['stored', 'link'] as const).map((kind) => ({ kind, url: storedUrl, diesAt: storedDiesAt }))),
  ];
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
