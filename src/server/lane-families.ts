import type { LaneLook, RateUse, Snapshot } from '../diagnosis/snapshot.ts';
import { counter, type Family, gauge, type Sample } from '../metrics/exposition.ts';

/** Of each account, also where there is only one: so one dashboard does for all. The labels are bounded by FLUX_LANES. */
export function laneFamilies({ lanes }: Pick<Snapshot, 'lanes'>): Family[] {
  return [...standingFamilies(lanes), ...limitFamilies(lanes)];
}

const labelsOf = ({ name, vendor }: LaneLook) => ({ lane: name, provider: vendor });

function eachOf(lanes: Snapshot['lanes']) {
  return (of: (lane: LaneLook) => number | undefined): Sample[] =>
    lanes.flatMap((lane) => {
      const value = of(lane);
      return value === undefined ? [] : [{ labels: labelsOf(lane), value }];
    });
}

function standingFamilies(lanes: Snapshot['lanes']): Family[] {
  const each = eachOf(lanes);
  return [
    gauge(
      'flux_lane_stopped',
      '1 while nothing is submitted in the account.',
      each(({ breaker }) => (breaker ? 1 : 0)),
    ),
    gauge(
      'flux_lane_share',
      'Of the items that several accounts could send at once; 0: it begins nothing.',
      each(({ share }) => share),
    ),
    gauge(
      'flux_lane_credits_left',
      "Credits of the account, in its provider's own, by what it said last.",
      each(({ credits }) => credits?.left),
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

function limitFamilies(lanes: Snapshot['lanes']): Family[] {
  const each = eachOf(lanes);
  const eachLimiter = (of: (use: RateUse) => number): Sample[] =>
    lanes.flatMap((lane) =>
      Object.entries(lane.rates).map(([limiter, use]) => ({ labels: { ...labelsOf(lane), limiter }, value: of(use) })),
    );
  return [
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
    counter(
      'flux_lane_polls_total',
      'Polls that went out under the poll limit of the account.',
      each(({ rates }) => rates.poll.sent),
    ),
    counter(
      'flux_lane_polls_refused_total',
      'Polls that the provider refused for their rate (429).',
      each(({ rates }) => rates.poll.refused),
    ),
    gauge(
      'flux_lane_use_ratio',
      'Submits within the last window as a share of the limit in force.',
      each(({ rates }) => rates.submit.inWindow / rates.submit.limit),
    ),
    gauge(
      'flux_lane_polls_use_ratio',
      'Polls within the last window as a share of the limit in force.',
      each(({ rates }) => rates.poll.inWindow / rates.poll.limit),
    ),
    gauge(
      'flux_lane_limit',
      'The limit in force in the account, perhaps learned to be lower than configured.',
      eachLimiter(({ limit }) => limit),
    ),
    gauge(
      'flux_lane_paused_seconds',
      'What is left of a pause of the account after a 429.',
      eachLimiter(({ pausedMs }) => pausedMs / 1_000),
    ),
  ];
}
