/** `critical`: work that waits does not go on. `warning`: it is slow, at risk, or waits for a person. `info`: as it should be. */
export type Severity = 'critical' | 'warning' | 'info';

/**
 * Every cause that holds batches up, the worst first: what stops more comes before what stops less, and what a person has said
 * before what nobody has to mend. Names are part of the JSON output, of metrics and of links: they never change.
 */
export const KINDS = {
  'redis-unreachable': 'critical',
  'archive-denied': 'critical',
  'archive-full': 'critical',
  'archive-unreachable': 'critical',
  'key-refused': 'critical',
  'out-of-credits': 'critical',
  'api-not-found': 'critical',
  'api-unreachable': 'critical',
  'api-maintenance': 'critical',
  'too-many-unknown': 'critical',
  'submitting-stopped': 'critical',
  'no-worker': 'critical',
  'other-route': 'critical',
  'poll-unanswered': 'critical',
  'jobs-lost': 'critical',
  'images-unreachable': 'warning',
  'images-at-risk': 'warning',
  paused: 'warning',
  'out-of-budget': 'warning',
  'rate-refused': 'warning',
  'provider-slow': 'warning',
  'archive-behind': 'warning',
  'archive-busy': 'warning',
  'poll-rate': 'warning',
  'callbacks-away': 'warning',
  'clock-skew': 'warning',
  held: 'warning',
  'images-missing': 'warning',
  'records-unreadable': 'warning',
  enqueueing: 'info',
  'task-limit': 'info',
  'submit-rate': 'info',
  generating: 'info',
} as const satisfies Readonly<Record<string, Severity>>;
/** The name of a cause. */
export type Kind = keyof typeof KINDS;

/** One cause that holds work up. Texts are for people: one line each, without control characters. */
export type Finding = {
  /** Its kind, for programs. */
  kind: Kind;
  /** How bad it is; of a kind always the same. */
  severity: Severity;
  /** What is wrong, and where. */
  what: string;
  /** Epoch milliseconds by the fleet's clock; absent where nobody knows. */
  since?: number;
  /** What to do: a command, a variable, or what it waits for by itself. */
  remedy: string;
  /** Where the documentation tells more: `docs/troubleshooting.md#<kind>`. */
  anchor: string;
  /** The batch that it is about; absent where it is about all. */
  batch?: string;
  /** The account that it is about, where there are several. */
  lane?: string;
};

/** What holds the work up, the worst first, and what it is that decides how fast it goes on just now. */
export type Diagnosis = {
  /** What a person should know. What is as it should be is not among them. */
  findings: readonly Finding[];
  /** Null where nothing is to be done. */
  bottleneck: Finding | null;
};

const ORDER: readonly string[] = Object.keys(KINDS);

export function finding(
  kind: Kind,
  what: string,
  remedy: string,
  more: { since?: number; batch?: string; lane?: string } = {},
): Finding {
  return { kind, severity: KINDS[kind], what, remedy, anchor: anchorOf(kind), ...more };
}

export function anchorOf(kind: Kind): string {
  return `docs/troubleshooting.md#${kind}`;
}

/** The worst first; of one kind the longest first. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  const rank = ({ kind }: Finding) => ORDER.indexOf(kind);
  return [...findings].sort((a, b) => rank(a) - rank(b) || (a.since ?? 0) - (b.since ?? 0));
}
