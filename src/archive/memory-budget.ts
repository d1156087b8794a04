/** Gives back what was taken. A second call does nothing. */
export type Release = () => void;
export type MemoryBudget = {
  readonly bytes: number;
  /** Waits until so many bytes are free, in turn. More than there are in all is taken as all of them. */
  take(bytes: number): Promise<Release>;
};

/** Keeps the sum of what is in memory at once below a limit. Who has taken some must not wait for more: all would wait for each other. */
export function memoryBudget(bytes: number): MemoryBudget {
  let free = bytes;
  const waiting: { wanted: number; go: () => void }[] = [];

  function letGo(): void {
    for (let next = waiting[0]; next && next.wanted <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.wanted;
      next.go();
    }
  }

  return {
    bytes,
    async take(asked) {
      const wanted = Math.min(asked, bytes);
      await new Promise<void>((go) => {
        waiting.push({ wanted, go });
        letGo();
      });
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        free += wanted;
        letGo();
      };
    },
  };
}
