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

/**
 * What the accounts have used of their limits, together: one figure for each length of window. Limits are those of the open ones; what was
 * counted is that of all. Together they pause while each of them does.
 */
export function ratesOfAll({ lanes, rates }: Pick<Snapshot, 'lanes' | 'rates'>, of: 'submit' | 'poll'): RateUse[] {
  if (lanes.length < 2) return [rates[of]];
  const open = lanes.filter(({ share, breaker }) => share > 0 && !breaker);
  const limiting = open.length > 0 ? open : lanes;
  const windows = new Set(limiting.map((lane) => lane.rates[of].windowMs));
  return [...windows].map((windowMs) => {
    const usesOf = (some: readonly LaneLook[]) =>
      some.map((lane) => lane.rates[of]).filter((use) => use.windowMs === windowMs);
    const counted = usesOf(lanes);
    return {
      ...usesOf(limiting).reduce(both),
      sent: counted.reduce((sum, { sent }) => sum + sent, 0),
      refused: counted.reduce((sum, { refused }) => sum + refused, 0),
    };
  });
}

function both(one: RateUse, other: RateUse): RateUse {
  return {
    ...one,
    inWindow: one.inWindow + other.inWindow,
    limit: one.limit + other.limit,
    configured: one.configured + other.configured,
    pausedMs: Math.min(one.pausedMs, other.pausedMs),
  };
}

/** Tasks that run in any account, of so many as all of them permit. */
export function tasksOfAll({ lanes, tasks }: Pick<Snapshot, 'lanes' | 'tasks'>): { running: number; most: number } {
  if (lanes.length < 2) return tasks;
  const begin = lanes.filter(({ share }) => share > 0);
  return { running: tasks.running, most: begin.reduce((sum, lane) => sum + lane.tasks.most, 0) };
}

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
