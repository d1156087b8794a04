import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { BARE_QUEUES } from './bare-queues.ts';
import { member } from './children.ts';

export type BareInput = { redisUrl: string; prefix: string; concurrency: number };

/** What BullMQ alone does for a chain of three queues: each worker adds the job to the next queue. */
await member<BareInput>(async ({ redisUrl, prefix, concurrency }) => {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queues = BARE_QUEUES.map((name) => new Queue(name, { connection, prefix }));
  const workers = BARE_QUEUES.map((name, index) => {
    const next = queues[index + 1];
    const hand = async (job: { id?: string; data: unknown }) => {
      await next?.add('item', job.data, { jobId: job.id ?? '', removeOnComplete: true, removeOnFail: true });
    };
    return new Worker(name, hand, { connection, prefix, concurrency });
  });
  return {
    async stop() {
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all(queues.map((queue) => queue.close()));
      connection.disconnect();
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1_000, peakRssMb: 0 };
    },
  };
});
