import type { Vendor } from '../items/item.ts';
import type { Rate } from '../text/duration.ts';
import { type LaneInFile, readLanesFile } from './lanes-file.ts';
import type { Variables } from './variables.ts';

/** An account at a vendor: what it is submitted and asked with, and how fast. */
export type Lane = Readonly<{
  /** For people, and where `isNamed` for records and Redis too. */
  name: string;
  vendor: Vendor;
  /** Which variable holds its key. */
  keyVariable: string;
  /** Undefined where this process has no key of it: it leaves its items to others. */
  apiKey: string | undefined;
  /** Signs its callbacks; undefined: they are known by their token alone. */
  webhookKey: string | undefined;
  rateLimit: Rate;
  pollLimit: Rate;
  /** Tasks that run at once. */
  maxTasks: number;
  /** What a person changes for a limit to be another, in words. */
  limitNames: LimitNames;
  /** How many of the items that several lanes could send at once; 0: it begins nothing, and ends what it has begun. */
  share: number;
  /**
   * The account that there is without FLUX_LANES. Its keys in Redis have the names that they have then, and tasks and records that name no
   * lane are its.
   */
  isFirst: boolean;
  /** It stands in FLUX_LANES: records say so. */
  isNamed: boolean;
}>;

export type LimitNames = Readonly<{ rate: string; polls: string; tasks: string }>;

const KEY_OF: Readonly<Record<Vendor, string>> = { kie: 'FLUX_API_KEY', bfl: 'BFL_API_KEY' };

/**
 * Those of the file, and one for each vendor of which it names none. Where none of the file's is the account that there was before, that
 * one ends what it has begun. `read`: a variable's value, or that of the file that `<variable>_FILE` names. Throws a UsageError
 * (`config-invalid`).
 */
export function lanesOf(values: Variables, read: (variable: string) => string | undefined): readonly Lane[] {
  const given = values.FLUX_LANES === undefined ? [] : readLanesFile(values.FLUX_LANES);
  const named = given.map((lane) => namedLane(lane, values, read));
  const former = firstLanes(values).filter(
    (first) => !named.some((lane) => lane.isFirst && lane.vendor === first.vendor),
  );
  const isReplaced = ({ vendor }: Lane) => named.some((lane) => lane.vendor === vendor);
  return [...named, ...former.map((first) => (isReplaced(first) ? { ...first, share: 0 } : first))];
}

function namedLane(lane: LaneInFile, values: Variables, read: (variable: string) => string | undefined): Lane {
  const [kie, bfl] = firstLanes(values);
  const first = lane.provider === 'bfl' ? bfl : kie;
  const named = (key: 'rate' | 'polls' | 'concurrency', variable: string) =>
    `${key} of lane ${lane.name} in ${values.FLUX_LANES}${lane[key] === undefined ? ` (it has none: ${variable} counts)` : ''}`;
  const isFirst = lane.key === first.keyVariable || (lane.provider === 'kie' && lane.key === 'KIE_API_KEY');
  return {
    name: lane.name,
    vendor: lane.provider,
    keyVariable: lane.key,
    apiKey: isFirst ? (first.apiKey ?? read(lane.key)) : read(lane.key),
    webhookKey: lane.webhook === undefined ? (isFirst ? first.webhookKey : undefined) : read(lane.webhook),
    rateLimit: lane.rate ?? first.rateLimit,
    pollLimit: lane.polls ?? first.pollLimit,
    maxTasks: lane.concurrency ?? first.maxTasks,
    limitNames: {
      rate: named('rate', first.limitNames.rate),
      polls: named('polls', first.limitNames.polls),
      tasks: named('concurrency', first.limitNames.tasks),
    },
    share: lane.share ?? 1,
    isFirst,
    isNamed: true,
  };
}

function firstLanes(values: Variables): [kie: Lane, bfl: Lane] {
  const common = { share: 1, isFirst: true, isNamed: false };
  return [
    {
      ...{ ...common, name: 'kie', vendor: 'kie', keyVariable: KEY_OF.kie },
      ...{ apiKey: values.FLUX_API_KEY ?? values.KIE_API_KEY, webhookKey: values.FLUX_WEBHOOK_KEY },
      ...{ rateLimit: values.FLUX_RATE_LIMIT, pollLimit: values.FLUX_POLL_LIMIT, maxTasks: values.FLUX_MAX_TASKS },
      limitNames: { rate: 'FLUX_RATE_LIMIT', polls: 'FLUX_POLL_LIMIT', tasks: 'FLUX_MAX_TASKS' },
    },
    {
      ...{ ...common, name: 'bfl', vendor: 'bfl', keyVariable: KEY_OF.bfl },
      ...{ apiKey: values.BFL_API_KEY, webhookKey: undefined },
      ...{ rateLimit: values.BFL_RATE_LIMIT, pollLimit: values.BFL_POLL_LIMIT, maxTasks: values.BFL_MAX_TASKS },
      limitNames: { rate: 'BFL_RATE_LIMIT', polls: 'BFL_POLL_LIMIT', tasks: 'BFL_MAX_TASKS' },
    },
  ];
}

export function secretsOf(lanes: readonly Lane[]): string[] {
  return lanes.flatMap(({ apiKey, webhookKey }) => [apiKey, webhookKey]).filter((one) => one !== undefined);
}
