import type { Worker } from 'bullmq';

/** Keeps a worker from its next job for so long; what it has begun goes on. A second rest does not cut the first short. */
export type Rest = (ms: number) => void;

export function restOf(worker: Worker): Rest {
  let untilMs = 0;
  let timer: NodeJS.Timeout | undefined;
  worker.on('closing', () => clearTimeout(timer));
  return (ms) => {
    if (worker.closing || performance.now() + ms <= untilMs) return;
    untilMs = performance.now() + ms;
    clearTimeout(timer);
    void worker.pause(true);
    timer = setTimeout(() => void worker.resume(), ms);
    timer.unref();
  };
}
