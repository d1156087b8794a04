import type { Finding, Kind } from './finding.ts';

/** Told where they happen: the breaker's once for the fleet when it trips, the loss of Redis by each process. */
const TOLD_ELSEWHERE: ReadonlySet<Kind> = new Set<Kind>([
  'redis-unreachable',
  'key-refused',
  'out-of-credits',
  'api-not-found',
  'api-unreachable',
  'api-maintenance',
  'too-many-unknown',
  'submitting-stopped',
]);

type Tell = (fields: object, message: string) => void;

/** Tells the log what holds work up when that begins, with what to do, and when it is over. `findings`: those of one look. */
export function findingLog(log: Record<'error' | 'warn' | 'info', Tell>): (findings: readonly Finding[]) => void {
  let told = new Map<string, Finding>();
  return (findings) => {
    const now = new Map(
      findings.filter(({ kind }) => !TOLD_ELSEWHERE.has(kind)).map((one) => [`${one.kind} ${one.batch ?? ''}`, one]),
    );
    for (const [name, { kind, severity, what, since, remedy, anchor, batch }] of now) {
      if (told.has(name)) continue;
      const level = severity === 'critical' ? 'error' : 'warn';
      const begun = since === undefined ? {} : { since: new Date(since).toISOString() };
      log[level]({ kind, batch, ...begun, remedy, anchor }, what);
    }
    for (const [name, { kind, batch, what }] of told) if (!now.has(name)) log.info({ kind, batch }, `over: ${what}`);
    told = now;
  };
}
