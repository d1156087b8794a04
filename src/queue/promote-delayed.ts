import { ErrorCode, type Job } from 'bullmq';

/** False when the job is not delayed: it waits, runs or is over. */
export async function promoteDelayed(job: Job): Promise<boolean> {
  try {
    await job.promote();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === ErrorCode.JobNotInState) return false;
    throw error;
  }
}
