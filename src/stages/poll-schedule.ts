/** Without anything learned: the pace that the provider calls sensible (API notes, "Status"). */
const PACE = [
  { untilMs: 30_000, everyMs: 2_500 },
  { untilMs: 120_000, everyMs: 7_000 },
  { untilMs: Number.POSITIVE_INFINITY, everyMs: 20_000 },
] as const;

/** Fewer durations than this teach nothing. */
const LEAST_SAMPLE = 5;
const SHORTEST_MS = 200;
/** Each poll is put where this share of the tasks still running should have ended: 1/3 finds a task in about 3 polls. */
const SHARE_BY_NEXT_POLL = 1 / 3;

/** When to ask for the first time (epoch ms). `durations`: ascending, milliseconds, as seen lately for the model. */
export function firstPollAt(submittedAt: number, durations: readonly number[]): number {
  return nextPollAt({ submittedAt, now: submittedAt, durations });
}

/**
 * When to ask again (epoch ms): where a share of the tasks that have lived this long is expected to have ended. So polls are
 * dense where tasks end and sparse elsewhere. A task that outlives all known ones is asked for ever more rarely.
 */
export function nextPollAt(task: { submittedAt: number; now: number; durations: readonly number[] }): number {
  const elapsedMs = task.now - task.submittedAt;
  const pacedMs = paceAt(elapsedMs);
  if (task.durations.length < LEAST_SAMPLE) return task.now + pacedMs;
  const longer = task.durations.filter((duration) => duration > elapsedMs);
  const due = longer[Math.floor(longer.length * SHARE_BY_NEXT_POLL)];
  const waitMs = due === undefined ? elapsedMs * 0.15 : due - elapsedMs;
  return task.now + Math.round(Math.max(SHORTEST_MS, due === undefined ? Math.min(waitMs, pacedMs) : waitMs));
}

function paceAt(elapsedMs: number): number {
  return PACE.find((step) => elapsedMs < step.untilMs)?.everyMs ?? PACE[2].everyMs;
}
