import { lastSubmitMs } from '../diagnosis/planned.ts';
import { ASSUMED } from '../diagnosis/time-left.ts';
import { formatDuration, formatRate } from '../text/duration.ts';
import type { LaneLoad, PlannedTime, VendorTime } from './time.ts';

const MOST_NAMED = 4;

/** `about 1m 03s: 40s to submit at 20/10s, then the last task`; what there is more to say is on lines of its own. */
export function describeTime(time: PlannedTime): string[] {
  const { ms, vendors, atMost } = time;
  const idle = vendors.filter(({ loads }) => loads.length === 0);
  return [
    ...(ms === undefined ? [] : busyLines(ms, time)),
    ...idle.map(({ vendor }) => `never at ${vendor}: each of its accounts has share: 0 and begins nothing`),
    ...(atMost ? [`about ${formatDuration(atMost.ms)} if all that may go to ${atMost.by} does`] : []),
  ];
}

/** Nothing but the rate of the one account that there is without FLUX_LANES is to be told. */
export function isByRateAlone({ isByRate, vendors, atMost }: PlannedTime): boolean {
  return isByRate && vendors.length === 1 && atMost === undefined;
}

function busyLines(ms: number, { vendors, isByRate, submitMs }: PlannedTime): string[] {
  const busy = vendors.filter(({ loads }) => loads.length > 0);
  if (busy.length > 1) {
    return [
      `about ${formatDuration(ms)}: ${busy.map(({ vendor }) => vendor).join(' and ')} side by side`,
      ...busy.flatMap((one) => {
        const [first = '', ...more] = vendorLines(one);
        return [`${one.vendor} ${first}`, ...more];
      }),
    ];
  }
  const [rate] = isByRate ? busy.flatMap(({ loads }) => loads) : [];
  return rate ? [`about ${formatDuration(ms)}: ${submitsAt(rate, submitMs)}`] : busy.flatMap(vendorLines);
}

function vendorLines({ ms, loads, slowModel, keyless }: VendorTime): string[] {
  const isByTasks = loads.some(({ bound }) => bound === 'tasks');
  // Nobody knows it before. Where the rate decides, only the end goes by it.
  const about = `about ${formatDuration(ms)}${isByTasks ? ` if a task takes ${formatDuration(ASSUMED.typicalMs)}` : ''}`;
  return [
    `${about}: ${decided(loads, slowModel)}`,
    ...(loads.length > 1 ? [limitsText(loads, slowModel)] : []),
    ...(keyless.length > 0
      ? [`not counted: ${keyless.map(({ name, keyVariable }) => `${name} (${keyVariable} is not set)`).join(', ')}`]
      : []),
  ];
}

function decided(loads: readonly LaneLoad[], slowModel: string | undefined): string {
  const [first, ...others] = loads;
  const submitMs = Math.max(0, ...loads.map(lastSubmitMs));
  if (first && others.length === 0)
    return first.bound === 'rate' ? submitsAt(first, submitMs) : limitText(first, slowModel);
  const accounts = `in ${loads.length} accounts`;
  return loads.every(({ bound }) => bound === 'rate')
    ? `${submits(submitMs)} ${accounts}, then the last task`
    : accounts;
}

function submitsAt({ rateLimit }: LaneLoad, submitMs: number): string {
  return `${submits(submitMs)} at ${formatRate(rateLimit)}, then the last task`;
}

const submits = (ms: number) => (ms === 0 ? 'all submitted at once' : `${formatDuration(ms)} to submit`);

/** `main 20/10s, second 5 tasks at once`. */
function limitsText(loads: readonly LaneLoad[], slowModel: string | undefined): string {
  const named = loads.slice(0, MOST_NAMED).map((load) => `${load.name} ${limitText(load, slowModel)}`);
  return [...named, ...(loads.length > MOST_NAMED ? [`and ${loads.length - MOST_NAMED} more`] : [])].join(', ');
}

/** The limit that decides. */
function limitText({ bound, rateLimit, pollLimit, maxTasks }: LaneLoad, slowModel: string | undefined): string {
  switch (bound) {
    case 'rate':
      return formatRate(rateLimit);
    case 'tasks':
      return `${maxTasks}${slowModel === undefined ? ' tasks' : ` of ${slowModel}`} at once`;
    case 'polls':
      return `polls at ${formatRate(pollLimit)}`;
    default:
      return bound satisfies never;
  }
}
