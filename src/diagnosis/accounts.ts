import { ACCOUNTS } from '../items/item.ts';
import type { LimitNames } from '../settings/lanes.ts';
import { formatDuration } from '../text/duration.ts';
import type { LaneLook, RateUse, Snapshot } from './snapshot.ts';

/** Whose limits they are; `name`: where it is told from others. */
export type Limited = Pick<LaneLook, 'rates' | 'tasks' | 'limitNames'> & { name: string | undefined };

const OF_DEFAULT: LimitNames = { rate: 'FLUX_RATE_LIMIT', polls: 'FLUX_POLL_LIMIT', tasks: 'FLUX_MAX_TASKS' };
const MOST_NAMED = 4;

/** Each account has limits of its own. */
export function limitedAccounts({ lanes, rates, tasks }: Pick<Snapshot, 'lanes' | 'rates' | 'tasks'>): Limited[] {
  if (lanes.length === 0) return [{ name: undefined, rates, tasks, limitNames: OF_DEFAULT }];
  return lanes.map((lane) => ({ ...lane, name: lane.isNamed || lane.vendor !== 'kie' ? lane.name : undefined }));
}

export const prefixOf = ({ name }: Pick<Limited, 'name'>) => (name === undefined ? '' : `${name}: `);

export const useOf = ({ inWindow, limit, windowMs }: RateUse) =>
  `${inWindow} of ${limit} in ${formatDuration(windowMs)}`;

export const isTasksFull = ({ tasks }: Pick<Limited, 'tasks'>) => tasks.running >= tasks.most;

/** The accounts that what waits to be submitted goes to: what several vendors may make to the first that takes anything. */
export function takingLanes({ lanes, waitingForEither }: Pick<Snapshot, 'lanes' | 'waitingForEither'>): LaneLook[] {
  const open = lanes.filter(({ share, breaker }) => share > 0 && !breaker);
  const first =
    waitingForEither > 0 ? ACCOUNTS.find((vendor) => open.some((lane) => lane.vendor === vendor)) : undefined;
  return open.filter(({ waiting, vendor }) => waiting > 0 || vendor === first);
}

/** What each of them is limited by just now. */
export function pacesOf(lanes: readonly LaneLook[]): string {
  const told = lanes
    .slice(0, MOST_NAMED)
    .map((lane) =>
      isTasksFull(lane)
        ? `${lane.name} ${lane.tasks.running} of ${lane.tasks.most} tasks`
        : `${lane.name} ${useOf(lane.rates.submit)}`,
    );
  return [...told, ...(lanes.length > MOST_NAMED ? [`and ${lanes.length - MOST_NAMED} more`] : [])].join(', ');
}
