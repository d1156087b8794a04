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

/** What a callback may take on its way, before a poll looks for a task that was not called for. */
const CALLBACK_MS = { atLeast: 500, ofAge: 0.05 };
/**
 * No poll waits longer than this for a task that may have ended, nor than this part of its image's life: it is found while its image can
 * be had, and callbacks that stay away are noticed within a minute.
 */
const WIDEST = { ms: 30_000, ofLife: 1 / 4 };

/** `share`: of the tasks, 0 to 1, that are called back. `lifeMs`: how long the first of an image's URLs lives. */
type Callbacks = { share?: number; lifeMs?: number };

/** When to ask for the first time (epoch ms). `durations`: ascending, milliseconds, as seen lately for the model. */
export function firstPollAt(submittedAt: number, durations: readonly number[], callbacks: Callbacks = {}): number {
  return nextPollAt({ submittedAt, now: submittedAt, durations, ...callbacks });
}

/**
 * When to ask again (epoch ms): where a share of the tasks that have lived this long, and were not called for, is expected to have
 * ended. So polls are dense where tasks end and sparse elsewhere, and the more tasks are called back the later they come. A task that
 * outlives all known ones is asked for ever more rarely.
 */
export function nextPollAt(
  task: { submittedAt: number; now: number; durations: readonly number[] } & Callbacks,
): number {
  const { durations, now, share = 0, lifeMs = Number.POSITIVE_INFINITY } = task;
  const ageMs = now - task.submittedAt;
  const pacedMs = paceAt(ageMs);
  if (durations.length < LEAST_SAMPLE) return now + pacedMs;
  const widestMs = Math.min(WIDEST.ms, lifeMs * WIDEST.ofLife);
  const overdueMs = Math.min(ageMs * OVERDUE_OF_AGE, pacedMs);
  const waitMs =
    share === 0
      ? (waitFor(ageMs, durations, 0) ?? overdueMs)
      : Math.min(
          waitFor(ageMs, durations, share) ?? overdueMs / (1 - share),
          Math.max(0, typicalOf(durations) - ageMs) + widestMs,
        );
  const shortestMs = Math.max(SHORTEST.ms, Math.min(ageMs * SHORTEST.ofAge, pacedMs));
  return now + Math.round(Math.max(shortestMs, waitMs));
}

/**
 * Undefined when no known task has lived longer. Of those that have ended by then only a part, 1 - `called`, is still waited for. So a
 * larger share of all has to have ended for the same share of these.
 */
function waitFor(ageMs: number, durations: readonly number[], called: number): number | undefined {
  const longer = durations.filter((duration) => duration > ageMs);
  const isFirst = longer.length === durations.length;
  const wanted = isFirst ? SHARE.first : SHARE.next;
  const ended = wanted / (wanted + (1 - called) * (1 - wanted));
  const due = longer[Math.floor(longer.length * ended)];
  if (due === undefined) return undefined;
  return due - ageMs + (called === 0 ? 0 : Math.max(CALLBACK_MS.atLeast, due * CALLBACK_MS.ofAge));
}

function typicalOf(durations: readonly number[]): number {
  return durations[Math.floor(durations.length / 2)] ?? 0;
}

function paceAt(elapsedMs: number): number {
  return PACE.find((step) => elapsedMs < step.untilMs)?.everyMs ?? PACE[2].everyMs;
}
