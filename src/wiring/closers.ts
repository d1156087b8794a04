/** Closes in reverse what was opened. Whatever opens something registers its closing at once. */
export type Closers = {
  push(close: () => Promise<void> | void): void;
  /** Closes all, whatever fails, and throws the first failure after that. Later calls do nothing. */
  closeAll(): Promise<void>;
};

export function openClosers(): Closers {
  const closers: (() => Promise<void> | void)[] = [];
  return {
    push: (close) => {
      closers.push(close);
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
