import { setTimeout as sleep } from 'node:timers/promises';

/** Closes in reverse what was opened. Whatever opens something registers its closing at once. */
export type Closers = {
  push(close: () => Promise<void> | void, options?: CloseOptions): void;
  /** Closes all, whatever fails, and throws the first failure after that. Later calls do nothing. */
  closeAll(): Promise<void>;
};

/** What takes longer than this to close is left, to close or not: a lost Redis must not keep a process from its end. */
export type CloseOptions = { withinMs?: number };

/** The options are those of every closing that has none of its own. */
export function openClosers(common: CloseOptions = {}): Closers {
  const closers: (() => Promise<void> | void)[] = [];
  return {
    push: (close, { withinMs } = common) => {
      closers.push(withinMs === undefined ? close : () => within(withinMs, close));
    },
    async closeAll() {
      const failures: unknown[] = [];
      for (let close = closers.pop(); close; close = closers.pop()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

async function within(ms: number, close: () => Promise<void> | void): Promise<void> {
  const closed = new AbortController();
  try {
    await Promise.race([close(), sleep(ms, undefined, { signal: closed.signal }).catch(() => {})]);
  } finally {
    closed.abort();
  }
}
