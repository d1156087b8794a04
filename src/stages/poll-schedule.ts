/** Without anything learned: the pace that the provider calls sensible (API notes, "Status"). */
const PACE = [
  { untilMs: 30_000, everyMs: 2_500 },
  { untilMs: 120_000, everyMs: 7_000 },
  { untilMs: Number.POSITIVE_INFINITY, everyMs: 20_000 },
] as const;

/** Fewer durations than this teach nothing. */
const LEAST_SAMPLE = 5;
/** Polls are never nearer to each other than this, nor than this part of the task's age. */
const SHORTEST = { ms: 200, ofAge: 1 / 12 };
/** Beyond all known durations. */
const OVERDUE_OF_AGE = 0.15;

/**
 * Each poll is put where this share of the tasks still running should have ended. A larger share for the first: there tasks end
 * sparsely, and a wide step costs few of them a delay. By simulation (log-normal, median 12 s, sigma 0.35, 300 durations known):
 * 3.3 polls a task with a median delay of 0.97 s, where asking every 2 s takes 6.9 polls with 1.0 s. Shares of 1/3 for both: 2.8
 * polls and 1.3 s.
 */
const SHARE = { first: 0.35, next: 0.24 };

/** When to ask for the first time (epoch ms). `durations`: ascending, milliseconds, as seen lately for the model. */
export function firstPollAt(submittedAt: number, durations: readonly number[]): number {
  return nextPollAt({ submittedAt, now: submittedAt, durations });
}

/**
 * When to ask again (epoch ms): where a share of the tasks that have lived this long is expected to have ended. So polls are
 * dense where tasks end and sparse elsewhere. A task that outlives all known ones is asked for ever more rarely.
 */
export function nextPollAt(task: { submittedAt: number; now: number; durations: readonly number[] }): number {
  const { durations, now } = task;
  const ageMs = now - task.submittedAt;
  const pacedMs = paceAt(ageMs);
  if (durations.length < LEAST_SAMPLE) return now + pacedMs;
  const waitMs = waitFor(ageMs, durations) ?? Math.min(ageMs * OVERDUE_OF_AGE, pacedMs);
  const shortestMs = Math.max(SHORTEST.ms, Math.min(ageMs * SHORTEST.ofAge, pacedMs));
  return now + Math.round(Math.max(shortestMs, waitMs));
}

/** Undefined when no known task has lived longer. */
function waitFor(ageMs: number, durations: readonly number[]): number | undefined {
  const longer = durations.filter((duration) => duration > ageMs);
  const isFirst = longer.length === durations.length;
  const due = longer[Math.floor(longer.length * (isFirst ? SHARE.first : SHARE.next))];
  return due === undefined ? undefined : due - ageMs;
}

function paceAt(elapsedMs: number): number {
  return PACE.find((step) => elapsedMs < step.untilMs)?.everyMs ?? PACE[2].everyMs;
}
