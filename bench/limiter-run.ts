import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatRate, type Rate } from '../src/text/duration.ts';
import { startMember, startSimulator } from './children.ts';
import type { SubmitterInput } from './limiter-submitter.ts';

export type LimiterCase = {
  /** What the provider permits, and what we are told that it does. */
  rate: Rate;
  configured: Rate;
  window: 'sliding' | 'fixed';
  submitters: number;
  /** Ends after so many accepted submits … */
  accepted?: number;
  /** … or after so long. */
  forMs?: number;
};
export type SubmitTime = { at: number; accepted: boolean };

const WAITERS_IN_ALL = 32;

/** The submits that a simulated provider saw, by its own clock: 40 ms of latency with 20 ms of jitter. */
export async function runLimiter(redisUrl: string, given: LimiterCase): Promise<SubmitTime[]> {
  const simulator = await startSimulator([
    ...['--rate', formatRate(given.rate), '--window', given.window, '--latency', '40ms', '--jitter', '20ms'],
    ...['--time-scale', '0.01', '--max-tasks', '100000', '--credits', '1000000000'],
  ]);
  const input: SubmitterInput = {
    redisUrl,
    prefix: `{${randomUUID()}}`,
    apiUrl: simulator.url,
    apiKey: simulator.apiKey,
    rate: given.configured,
    waiters: Math.ceil(Math.max(WAITERS_IN_ALL, given.rate.max / 4) / given.submitters),
  };
  const members = await Promise.all(
    Array.from({ length: given.submitters }, () => startMember('limiter-submitter', input)),
  );
  const startedAt = Date.now();
  const isOver = async () => {
    if (given.forMs !== undefined) return Date.now() - startedAt >= given.forMs;
    return (await simulator.summary()).tasks.accepted >= (given.accepted ?? 0);
  };
  while (!(await isOver())) await sleep(500);
  await Promise.all(members.map((member) => member.stop()));
  const { submitLog } = await simulator.ledger();
  await simulator.stop();
  return submitLog.map(({ at, decision }) => ({ at, accepted: decision === 'accepted' }));
}
