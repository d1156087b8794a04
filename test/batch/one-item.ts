import { recordsIn } from '../../src/archive/records.ts';
import { enqueueItems } from '../../src/batch/enqueue-items.ts';
import { attach, drop, heldItems } from '../../src/batch/held.ts';
import { chooseFailed, requeueItems } from '../../src/batch/retry.ts';
import { loadConfig } from '../../src/config.ts';
import { redisBatchControl } from '../../src/fleet/batch-control.ts';
import { redisSpending } from '../../src/fleet/spending.ts';
import type { Finished, Item, Submitted } from '../../src/items/item.ts';
import { chargingRecords } from '../../src/money/charging-records.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { archive } from '../../src/stages/archive.ts';
import { takeCallback } from '../../src/stages/callback.ts';
import { poll } from '../../src/stages/poll.ts';
import type { Ports, Run, StageOutcome } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { FIRST_RUN, type Rig } from '../stages/rig.ts';
import { type Actor, byTurns, startActor, type Turn } from './turns.ts';

/** Who may act on an item from outside of a stage. */
export const OUTSIDERS = ['retry', 'retry too', 'drop', 'attach', 'resubmit', 'cancel', 'callback', 'enqueue'] as const;
export type Outsider = (typeof OUTSIDERS)[number];
export const PRICES = { date: '2025-08-01', source: 'test', usdPerCredit: 0.005, credits: { 'flux-kontext-pro': 8 } };
const CONFIG = loadConfig({ FLUX_API_URL: 'http://127.0.0.1:1', FLUX_API_KEY: 'k', ON_UNKNOWN: 'resubmit' });

/** As BullMQ has them: adding a job that is there is a no-op, also while a worker has it; it goes when its stage is done. */
function queueOfOne<Data extends Item>() {
  let [job, again, active]: [Data | undefined, Data | undefined, boolean] = [undefined, undefined, false];
  return {
    job: () => job,
    isWaiting: () => job !== undefined && !active,
    add: async (data: Data) => {
      job ??= data;
    },
    /** As src/queue/add-again.ts: once more when a worker has let go of the former. */
    addAgain: async ([data]: readonly Data[]) => {
      if (active) again = data;
      job ??= data;
    },
    clear: () => {
      job = undefined;
    },
    async run(stage: (data: Data) => Promise<StageOutcome>) {
      if (!job) return;
      active = true;
      const { kind } = await stage(job);
      active = false;
      if (kind === 'done') job = again;
      again = undefined;
    },
  };
}

const isOfRecord = (method: string, args: readonly unknown[]) =>
  ['read', 'readVersioned', 'write', 'create', 'replace'].includes(method) && String(args[0]).includes('/items/');
const all = (method: string) => method !== 'itemsIn';

/** One item of a batch of its own, its queues, and everybody who may act on it. */
export function oneItem(rig: Rig, item: Item, taskThatTurnsUp: string) {
  const queues = { submit: queueOfOne<Item>(), poll: queueOfOne<Submitted>(), archive: queueOfOne<Finished>() };
  const spending = redisSpending(rig.redis, rig.keys);
  const bullmq = openQueues(rig.redis, `${rig.runningList}:bullmq`);
  const forward = { submit: queues.submit.add, poll: queues.poll.add, archive: queues.archive.add };
  const bulk = {
    submitAll: async ([one]: readonly Item[]) => one && queues.submit.add(one),
    pollAll: async ([one]: readonly Submitted[]) => one && queues.poll.add(one),
    submitAgain: queues.submit.addAgain,
    pollAgain: queues.poll.addAgain,
  };

  /** What an actor acts by. */
  function portsOf(turn: Turn) {
    const records = chargingRecords(recordsIn(byTurns(rig.archive, turn, isOfRecord)), PRICES, spending.record);
    const state = { ...byTurns(rig.state, turn, all), intake: byTurns(rig.state.intake, turn, all) };
    const stages: Ports = {
      ...rig.ports,
      records,
      state,
      forward: byTurns(forward, turn, all),
      provider: byTurns(rig.ports.provider, turn, all),
    };
    const control = byTurns(
      redisBatchControl(
        rig.redis,
        rig.keys,
        { of: async () => bullmq, all: async () => [bullmq] },
        rig.state,
        spending,
      ),
      turn,
      all,
    );
    const people = {
      archive: rig.archive,
      records,
      state,
      control,
      queues: { ...bullmq, ...byTurns(bulk, turn, all) },
      config: CONFIG,
      clock: { now: Date.now },
    };
    return { stages, people };
  }
  type People = ReturnType<typeof portsOf>['people'];

  /** A person looks, thinks, and then says what they decided by what they saw. */
  async function heldOne({ state, archive, records }: People) {
    for await (const record of heldItems({ state, archive, records }, item.batch)) return record;
    return undefined;
  }
  const retry = async (people: People) => {
    const choices = await chooseFailed(people, item.batch, []);
    if (choices.length > 0) await requeueItems(people, item.batch, 'failed', choices);
  };
  const acts: Record<Outsider, (people: People, stages: Ports) => Promise<unknown>> = {
    retry,
    'retry too': retry,
    drop: async (people) => {
      const record = await heldOne(people);
      if (record) await drop(people, item.batch, [record]);
    },
    attach: async (people) => {
      const record = await heldOne(people);
      if (record) await attach(people, record, taskThatTurnsUp);
    },
    resubmit: async (people) => {
      const record = await heldOne(people);
      if (!record) return;
      const choice = { id: item.id, name: item.name, model: item.request.model, how: 'submit' as const };
      await requeueItems(people, item.batch, 'held', [choice]);
    },
    cancel: (people) => people.control.cancel(item.batch),
    callback: (people, stages) =>
      takeCallback(
        item,
        { taskId: taskThatTurnsUp },
        {
          ...people,
          now: Date.now,
          forward: stages.forward,
          settings: stages.settings,
          markCalled: async () => {},
          pollNow: async (_item, taskId) => {
            const job = queues.poll.job();
            if (!job) return 'absent';
            return job.taskId === taskId ? 'hurried' : 'other-task';
          },
        },
      ),
    enqueue: (people) => enqueue(people),
  };
  async function enqueue({ records, state, queues: to, config }: People) {
    const manifest = { batch: item.batch, digest: 'digest', archive: rig.archive.url, api: CONFIG.apiUrl };
    await enqueueItems(
      manifest,
      (async function* () {
        yield item;
      })(),
      {
        keepCharges: spending.keep,
        now: Date.now,
        records,
        intake: state.intake,
        queues: to,
        settings: config,
      },
    );
  }

  const run: Run = FIRST_RUN;
  const workers = {
    submit: {
      queue: queues.submit,
      start: (turn: Turn) => queues.submit.run((job) => submit(job, run, portsOf(turn).stages)),
    },
    poll: {
      queue: queues.poll,
      start: (turn: Turn) =>
        queues.poll.run(async (job) => {
          await rig.untilEnded(job.taskId);
          return poll(job, run, portsOf(turn).stages);
        }),
    },
    archive: {
      queue: queues.archive,
      start: (turn: Turn) => queues.archive.run((job) => archive(job, run, portsOf(turn).stages)),
    },
  };
  return {
    start: (who: Outsider): Promise<Actor> =>
      startActor(who, async (turn) => {
        const { people, stages } = portsOf(turn);
        await acts[who](people, stages);
      }),
    /** A worker for each stage that has a job which nobody has. */
    waiting: () => Object.entries(workers).filter(([, { queue }]) => queue.isWaiting()),
    startWorker: (name: string, start: (turn: Turn) => Promise<void>) => startActor(name, start),
    /** What is left after Redis was emptied: the manifest. */
    enqueueAlone: () => enqueue(portsOf((call) => call()).people),
    clear: () => {
      for (const queue of Object.values(queues)) queue.clear();
    },
    close: () => bullmq.close(),
  };
}
export type OneItem = ReturnType<typeof oneItem>;
