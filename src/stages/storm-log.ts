import type { Logger } from 'pino';

/** Long enough to count what comes together, short enough to be read while it goes on. */
const FIRST_MS = 5_000;
const THEN_MS = 60_000;

type Storm = { count: number; fields: object; message: string };

/**
 * What happens to many items for one reason is said once, a few seconds after it began and with its count, then once a minute for as
 * long as it goes on. Each kind is counted for itself; the fields are those of the first.
 */
export function stormLog(
  log: { warn(fields: object, message: string): void },
  { firstMs = FIRST_MS, thenMs = THEN_MS } = {},
) {
  const storms = new Map<string, Storm>();
  const tellAfter = (kind: string, ms: number) => {
    const timer = setTimeout(() => {
      const storm = storms.get(kind);
      storms.delete(kind);
      if (!storm || storm.count === 0) return;
      log.warn({ ...storm.fields, count: storm.count, withinMs: ms }, storm.message);
      storms.set(kind, { ...storm, count: 0 });
      tellAfter(kind, thenMs);
    }, ms);
    timer.unref();
  };
  return (kind: string, fields: object, message: string): void => {
    const storm = storms.get(kind);
    if (storm?.count) storm.count += 1;
    else storms.set(kind, { count: 1, fields, message });
    if (!storm) tellAfter(kind, firstMs);
  };
}

const ofLog = new WeakMap<Logger, ReturnType<typeof stormLog>>();

/** The storms of a process, by its log. */
export function warnOfStorm(log: Logger, kind: string, fields: object, message: string): void {
  const storms = ofLog.get(log) ?? stormLog(log);
  ofLog.set(log, storms);
  storms(kind, fields, message);
}
