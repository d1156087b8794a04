import { randomBytes, randomInt } from 'node:crypto';
import { logNormal, type Random } from './random.ts';

/** `flag` is the `successFlag` that polls will show. */
export type Ending = { flag: 1 } | { flag: 2 | 3; errorCode: number; errorMessage: string };

/** One image of a task. */
export type Shot = {
  /** Its name in its URLs. */
  readonly token: string;
  fetches: number;
  originDead: boolean;
  storedDead: boolean;
  /** Of what was served of it, where its task has several. */
  sha256?: string;
};

/** Small, since a load test makes 100,000 of them. It is its own first image. */
export type Task = Shot & {
  readonly id: string;
  /** Its further images. */
  readonly more: readonly Shot[];
  /** By which of the simulated APIs it was submitted. */
  readonly api: 'kontext' | 'jobs' | 'bfl' | 'keyed';
  /** The raw body of the submit. */
  readonly told: string;
  /** The same in the words of Flux Kontext. */
  readonly paramJson: string;
  readonly model: string;
  readonly requestKey: string;
  /** 1 for the first task of the same request, 2 for the second. Each has another picture. */
  readonly take: number;
  readonly credits: number;
  readonly acceptedAt: number;
  ending: Ending;
  /** Made by the caller, in an API that takes one. */
  readonly key?: string;
  /** Of a task that has ended when its submit is answered. */
  quickUrl?: string;
  endedAt: number | undefined;
  polls: number;
};

/** All images of a task. */
export const shotsOf = (task: Task): readonly Shot[] => [task, ...task.more];

export type TaskOrder = Pick<
  Task,
  'api' | 'told' | 'paramJson' | 'model' | 'requestKey' | 'credits' | 'acceptedAt' | 'ending' | 'key'
> & {
  /** How many it makes; absent: one. */
  images?: number;
  /** It ends before its submit is answered. */
  isInstant?: boolean;
  /** It does not end before, and ends so where that says something. */
  before?: (taskId: string) => Promise<Ending | undefined>;
  /** Its id has digits only, more than a number of JavaScript can hold. */
  isNumbered?: boolean;
};

export type Tasks = {
  accept(order: TaskOrder): Task;
  find(id: string): Task | undefined;
  /** `number`: the image's, from 1. */
  findByToken(token: string): { task: Task; shot: Shot; number: number } | undefined;
  findByKey(key: string): Task | undefined;
  running(): number;
  /** Of one model. */
  runningOf(model: string): number;
  /** The number of tasks with the same request so far. */
  takesOf(requestKey: string): number;
  all(): IterableIterator<Task>;
  close(): void;
};

export type TaskTimes = { medianMs: number; sigma: number; timeScale: number };

const newShot = (): Shot => ({
  token: randomBytes(12).toString('hex'),
  ...{ fetches: 0, originDead: false, storedDead: false },
});

/** Ids are random, not seeded: a restarted simulator must not reuse the ids of the last one. */
export function createTasks(times: TaskTimes, random: Random, onEnd: (task: Task) => void): Tasks {
  const byId = new Map<string, Task>();
  const byToken = new Map<string, { task: Task; number: number }>();
  const byKey = new Map<string, Task>();
  const takes = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  const runningModels = new Map<string, number>();
  const countModel = (model: string, by: 1 | -1) => runningModels.set(model, (runningModels.get(model) ?? 0) + by);

  function end(task: Task) {
    task.endedAt = Date.now();
    onEnd(task);
  }

  return {
    accept({ isNumbered = false, isInstant = false, before, images = 1, ...order }) {
      const take = (takes.get(order.requestKey) ?? 0) + 1;
      takes.set(order.requestKey, take);
      const task: Task = {
        ...order,
        id: isNumbered ? `9${randomInt(1e12, 2e14)}7777` : `task_flux_${randomBytes(12).toString('hex')}`,
        ...newShot(),
        more: Array.from({ length: images - 1 }, newShot),
        take,
        endedAt: undefined,
        polls: 0,
      };
      byId.set(task.id, task);
      for (const [index, { token }] of shotsOf(task).entries()) byToken.set(token, { task, number: index + 1 });
      if (task.key !== undefined) byKey.set(task.key, task);
      if (isInstant) {
        end(task);
        return task;
      }
      const durationMs = logNormal(random, times.medianMs, times.sigma) * times.timeScale;
      const ending = before?.(task.id);
      const timer = setTimeout(async () => {
        task.ending = (await ending) ?? task.ending;
        if (!timers.delete(timer)) return;
        countModel(task.model, -1);
        end(task);
      }, durationMs).unref();
      timers.add(timer);
      countModel(task.model, 1);
      return task;
    },
    find: (id) => byId.get(id),
    findByToken(token) {
      const found = byToken.get(token);
      const shot = found && shotsOf(found.task)[found.number - 1];
      return found && shot && { ...found, shot };
    },
    findByKey: (key) => byKey.get(key),
    // Each running task has a timer.
    running: () => timers.size,
    runningOf: (model) => runningModels.get(model) ?? 0,
    takesOf: (requestKey) => takes.get(requestKey) ?? 0,
    all: () => byId.values(),
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
