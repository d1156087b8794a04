import { formatDuration } from '../text/duration.ts';
import { type Finding, finding } from './finding.ts';
import type { Snapshot } from './snapshot.ts';

/** Results are found by polls meanwhile, so nothing is held up. */
export function callbacksAway({ callbacksAway: accounts, at }: Pick<Snapshot, 'callbacksAway' | 'at'>): Finding[] {
  return accounts.map(({ account, since, missed, cameAt }) => {
    const ago = (ms: number) => formatDuration(Math.max(0, Math.floor(ms / 1_000) * 1_000));
    const last = cameAt === null ? 'none came before' : `the last came ${ago(at - cameAt)} ago`;
    return finding(
      'callbacks-away',
      `callbacks of ${account} stay away: none for the latest ${missed} tasks that ended, ${last}`,
      'results are found by polls; does serve run, and does FLUX_CALLBACK_URL lead to it? flux-batch doctor asks',
      { since },
    );
  });
}
