import { doneOf } from '../src/batch/counts.ts';
import { diagnose } from '../src/diagnosis/diagnose.ts';
import type { Snapshot } from '../src/diagnosis/snapshot.ts';
import { timeLeft } from '../src/diagnosis/time-left.ts';
import type { Row } from './bench.ts';
import { median, percent } from './measure.ts';

/** One look, at a moment of a steady clock. */
export type Sample = { at: number; done: number; snapshot: Snapshot };
/** What was shown of the rate, and between which moments it was read (epoch ms, as those below). */
export type Reading = { shown: number; from: number; to: number };
/** A submit that the provider accepted. */
export type Sent = { sentAt: number; arrivedAt: number };
/** All that was seen of one shape; `refused`: when submits arrived that were not accepted. */
export type Looked = {
  shape: string;
  comes: number;
  samples: readonly Sample[];
  readings: readonly Reading[];
  windowMs: number;
  sent: readonly Sent[];
  refused: readonly number[];
};

/** What is told is told in whole seconds, and looked at four times in one. */
const SLACK_MS = 1_000;
const WITHIN = 0.25;
/** A refused request is ours until its answer has come. */
const ANSWER_MS = 100;

/** What was said of the time left against what came, from the first tenth on. Looks without a time left are counted apart. */
export function judged({ comes, samples, readings, windowMs, sent, refused }: Looked) {
  const endedAt = samples.find(({ done }) => done >= comes)?.at ?? Number.NaN;
  const fromTenth = samples.filter(({ at, done }) => done >= comes / 10 && at < endedAt);
  const errors = fromTenth.flatMap(({ at, snapshot }) => {
    const leftMs = leftOf(snapshot);
    return leftMs === undefined ? [] : [{ trueMs: endedAt - at, leftMs }];
  });
  const within = (slackMs: number) =>
    errors.filter(({ leftMs, trueMs }) => Math.abs(leftMs - trueMs) <= WITHIN * trueMs + slackMs).length /
    errors.length;
  return {
    tookMs: Math.round(endedAt - (samples[0]?.at ?? 0)),
    looks: errors.length,
    withoutTime: fromTenth.length - errors.length,
    within: within(0),
    withinOrSecond: within(SLACK_MS),
    medianError: median(errors.map(({ leftMs, trueMs }) => Math.abs(leftMs - trueMs) / trueMs)),
    rateOff: readings.map((reading) => offBy(reading, { windowMs, sent, refused })),
    course: errors
      .filter((_, index) => index % 8 === 0)
      .map(({ leftMs, trueMs }) => [Math.round(trueMs), Math.round(leftMs)]),
  };
}

function leftOf(snapshot: Snapshot): number | undefined {
  const [counts] = snapshot.batches;
  if (!counts || doneOf(counts) === 0) return undefined;
  const left = timeLeft(counts, snapshot, diagnose(snapshot).findings);
  return left.kind === 'known' ? left.ms : undefined;
}

/**
 * By how much a reading is beyond what the ledger makes of it. We count a request from when it goes out, the provider from when it
 * arrives, and each for a window: between the two moments, at both ends, either is right.
 */
function offBy(
  { shown, from, to }: Reading,
  { windowMs, sent, refused }: Pick<Looked, 'windowMs' | 'sent' | 'refused'>,
): number {
  const surely = sent.filter(({ sentAt, arrivedAt }) => arrivedAt <= from && sentAt > to - windowMs).length;
  const perhaps = sent.filter(({ sentAt, arrivedAt }) => sentAt <= to && arrivedAt > from - windowMs).length;
  const underWay = refused.filter((at) => at > from - ANSWER_MS && at < to + ANSWER_MS).length;
  return Math.max(0, surely - shown, shown - perhaps - underWay);
}

export function rowsOf(shape: string, measured: ReturnType<typeof judged>): Row[] {
  const { within, withinOrSecond, medianError, looks, withoutTime, rateOff, tookMs } = measured;
  const without = withoutTime === 0 ? '' : `, ${withoutTime} told none`;
  return [
    {
      what: `time left from the first tenth on, bound by ${shape}`,
      target: '25 % or 1 s, ≥ 95 % of looks',
      measured: `${percent(withinOrSecond, 1)} of ${looks} looks in ${Math.round(tookMs / 1_000)} s${without} (without the second ${percent(within, 0)}); median off by ${percent(medianError, 0)}`,
      met: withinOrSecond >= 0.95,
    },
    {
      what: `submits shown against the provider's ledger, ${shape}`,
      target: 'within one',
      measured: `${percent(rateOff.filter((by) => by <= 1).length / rateOff.length, 1)} of ${rateOff.length} readings; at most ${Math.max(...rateOff)} off`,
      met: rateOff.every((by) => by <= 1),
    },
  ];
}
