import type { Account } from './account.ts';
import { requestOf } from './parameters.ts';
import { shotsOf, type Task, type Tasks } from './tasks.ts';

/** Why a submit ended as it did. `fault` means that a fault made or changed the answer. */
export type Decision =
  | 'accepted'
  /** With a key that was known: the answer names the same task again. */
  | 'replayed'
  | 'no-user-agent'
  | 'unauthorized'
  | 'rate-limited'
  | 'too-many-tasks'
  | 'invalid'
  | 'no-credits'
  | 'fault';

/** One submit as the provider saw it. `at` is its arrival, in epoch milliseconds. */
export type SubmitSeen = { at: number; decision: Decision; code: number; fault?: string; taskId?: string };

/**
 * A picture to start from, as it came. `from`: its URL without a signature, or `inline`. `status`: 0 without an answer. `sha256`: null where it was no picture.
 * `taskId`: null where it was looked at before there was a task.
 */
export type InputSeen = {
  at: number;
  taskId: string | null;
  from: string;
  signed: boolean;
  status: number;
  bytes: number;
  sha256: string | null;
};

export type TaskSeen = {
  taskId: string;
  at: number;
  request: unknown;
  /** Equal for tasks of the same request (apart from `callBackUrl`). */
  requestKey: string;
  /** 1 for the first task of that request, 2 for the second, and so on. */
  take: number;
  credits: number;
  outcome: 'running' | 'success' | 'creation-failed' | 'generation-failed';
  endedAt: number | null;
  polls: number;
  /** Of all its images together. */
  fetches: number;
  /** Where it made several: of each how often it was fetched, and what it was; null where it was not fetched. */
  images?: { fetches: number; sha256: string | null }[];
};

export type LedgerSummary = {
  startedAt: number;
  submits: { seen: number; byDecision: Record<string, number> };
  tasks: { accepted: number; running: number; success: number; failed: number };
  credits: { charged: number; refunded: number; balance: number };
  /** Answers with 429, by kind of request. */
  refused429: { submits: number; polls: number };
  polls: number;
  downloads: { origin: number; stored: number; link: number; expired: number };
  links: number;
  /** Pictures that were uploaded. `dead`: fetches of what was not kept any more. */
  uploads: { seen: number; stored: number; bytes: number; dead: number };
  /** Pictures to start from. */
  inputs: { taken: number; missed: number };
  callbacks: { attempts: number; delivered: number; failed: number; lost: number; givenUp: number };
  faults: Record<string, number>;
  distinctRequests: number;
  /** Requests with more than one task. Intended where a manifest has variants, else money is lost. */
  repeatedRequests: { requestKey: string; prompt: string; tasks: number; credits: number }[];
};

export type Ledger = LedgerSummary & { submitLog: SubmitSeen[]; inputLog: InputSeen[]; taskLog: TaskSeen[] };

/** Counted as it happens. The rest of the ledger is derived from the tasks. */
export type Counts = Pick<
  LedgerSummary,
  'startedAt' | 'refused429' | 'polls' | 'downloads' | 'links' | 'callbacks' | 'uploads'
> & {
  submitLog: SubmitSeen[];
  inputLog: InputSeen[];
};

export function startCounts(startedAt: number): Counts {
  return {
    startedAt,
    refused429: { submits: 0, polls: 0 },
    polls: 0,
    downloads: { origin: 0, stored: 0, link: 0, expired: 0 },
    links: 0,
    uploads: { seen: 0, stored: 0, bytes: 0, dead: 0 },
    callbacks: { attempts: 0, delivered: 0, failed: 0, lost: 0, givenUp: 0 },
    submitLog: [],
    inputLog: [],
  };
}

export type LedgerSources = { counts: Counts; tasks: Tasks; account: Account; faultHits: () => Record<string, number> };

export function summaryOf({ counts, tasks, account, faultHits }: LedgerSources): LedgerSummary {
  const { submitLog, inputLog, ...counted } = counts;
  const missed = inputLog.filter(({ sha256 }) => sha256 === null).length;
  const byDecision: Record<string, number> = {};
  for (const { decision } of submitLog) byDecision[decision] = (byDecision[decision] ?? 0) + 1;

  let accepted = 0;
  let success = 0;
  let failed = 0;
  const firsts = new Map<string, Task>();
  const repeated = new Map<string, { requestKey: string; prompt: string; tasks: number; credits: number }>();
  for (const task of tasks.all()) {
    accepted += 1;
    if (task.endedAt !== undefined && task.ending.flag === 1) success += 1;
    if (task.endedAt !== undefined && task.ending.flag !== 1) failed += 1;
    const first = firsts.get(task.requestKey);
    if (!first) {
      firsts.set(task.requestKey, task);
      continue;
    }
    const entry = repeated.get(task.requestKey) ?? {
      requestKey: task.requestKey,
      prompt: requestOf(task.paramJson).prompt,
      tasks: 1,
      credits: first.credits,
    };
    repeated.set(task.requestKey, { ...entry, tasks: entry.tasks + 1, credits: entry.credits + task.credits });
  }
  return {
    ...counted,
    submits: { seen: submitLog.length, byDecision },
    tasks: { accepted, running: tasks.running(), success, failed },
    credits: account.totals(),
    inputs: { taken: inputLog.length - missed, missed },
    faults: faultHits(),
    distinctRequests: firsts.size,
    repeatedRequests: [...repeated.values()],
  };
}

/** A copy that later events do not change. */
export function ledgerOf(sources: LedgerSources): Ledger {
  return {
    ...structuredClone(summaryOf(sources)),
    submitLog: [...sources.counts.submitLog],
    inputLog: [...sources.counts.inputLog],
    taskLog: Array.from(sources.tasks.all(), seen),
  };
}

function seen(task: Task): TaskSeen {
  return {
    taskId: task.id,
    at: task.acceptedAt,
    request: JSON.parse(task.paramJson),
    requestKey: task.requestKey,
    take: task.take,
    credits: task.credits,
    outcome: outcomeOf(task),
    endedAt: task.endedAt ?? null,
    polls: task.polls,
    fetches: shotsOf(task).reduce((sum, { fetches }) => sum + fetches, 0),
    ...(task.more.length > 0 && {
      images: shotsOf(task).map(({ fetches, sha256 }) => ({ fetches, sha256: sha256 ?? null })),
    }),
  };
}

function outcomeOf(task: Task): TaskSeen['outcome'] {
  if (task.endedAt === undefined) return 'running';
  if (task.ending.flag === 1) return 'success';
  return task.ending.flag === 2 ? 'creation-failed' : 'generation-failed';
}
