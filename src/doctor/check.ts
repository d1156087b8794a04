import { FluxError, messageOf } from '../errors.ts';

/** What was looked at. The names are in `--json`: they stay. */
export const CHECKS = ['provider', 'redis', 'archive', 'clock', 'disk', 'callbacks', 'contact-sheet'] as const;
export type CheckName = (typeof CHECKS)[number];

/** `warning`: a run works, and something is worse than it could be. `failed`: a run would not work. */
export type Check = {
  check: CheckName;
  outcome: 'ok' | 'warning' | 'failed';
  what: string;
  /** What to do; undefined where there is nothing to do. */
  remedy?: string;
};

export const ok = (check: CheckName, what: string): Check => ({ check, outcome: 'ok', what });
export const warning = (check: CheckName, what: string, remedy: string): Check => ({
  check,
  outcome: 'warning',
  what,
  remedy,
});
export const failed = (check: CheckName, what: string, remedy?: string): Check => ({
  check,
  outcome: 'failed',
  what,
  ...(remedy === undefined ? {} : { remedy }),
});

/** What `look` finds. What it throws is a check that failed. */
export async function outcomeOf(check: CheckName, look: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await look();
  } catch (error) {
    return [failed(check, messageOf(error), error instanceof FluxError ? error.hint : undefined)];
  }
}
