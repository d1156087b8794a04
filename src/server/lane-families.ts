import type { LaneLook, Snapshot } from '../diagnosis/snapshot.ts';
import { counter, type Family, gauge } from '../metrics/exposition.ts';

/** Of each account, where there is more than one. */
export function laneFamilies({ lanes }: Pick<Snapshot, 'lanes'>): Family[] {
  if (lanes.length < 2) return [];
  const each = (of: (lane: LaneLook) => number) =>
    lanes.map((lane) => ({ labels: { lane: lane.name, provider: lane.vendor }, value: of(lane) }));
  return [
    gauge(
      'flux_lane_stopped',
      '1 while nothing is submitted in the account.',
      each(({ breaker }) => (breaker ? 1 : 0)),
    ),
    counter(
      'flux_lane_submits_total',
      'Submits that went out under the rate limit of the account.',
      each(({ rates }) => rates.submit.sent),
    ),
    counter(
      'flux_lane_refused_total',
      'Submits that the provider refused for their rate (429).',
      each(({ rates }) => rates.submit.refused),
    ),
    gauge(
      'flux_lane_use_ratio',
      'Submits within the last window as a share of the limit in force.',
      each(({ rates }) => rates.submit.inWindow / rates.submit.limit),
    ),
    gauge(
      'flux_lane_tasks',
      'Tasks that run in the account.',
      each(({ tasks }) => tasks.running),
    ),
    gauge(
      'flux_lane_tasks_most',
      'Tasks that may run in the account at once.',
      each(({ tasks }) => tasks.most),
    ),
  ];
}
