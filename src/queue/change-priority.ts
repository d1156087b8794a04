import { ErrorCode, Job, type Queue } from 'bullmq';
import pMap from 'p-map';

const AT_ONCE = 64;

/** Gives jobs another priority, wherever they wait. One that has gone or runs meanwhile is left alone. */
export async function changePriority(
  queue: Queue,
  jobIds: readonly string[],
  change: (former: number) => number,
): Promise<void> {
  await pMap(
    jobIds,
    async (id) => {
      const job = await Job.fromId(queue, id);
      const former = job?.priority ?? 0;
      if (!job || change(former) === former) return;
      await job.changePriority({ priority: change(former) }).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === ErrorCode.JobNotExist)) throw error;
      });
    },
    { concurrency: AT_ONCE },
  );
}
