import { type BatchCounts, doneOf } from '../batch/counts.ts';
import { ratesOfAll } from '../diagnosis/accounts.ts';
import { spentWords } from '../diagnosis/budget-words.ts';
import { describeFinding, describeWhat } from '../diagnosis/describe.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { Finding } from '../diagnosis/finding.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { describeTimeLeft, timeLeft } from '../diagnosis/time-left.ts';
import type { Prices } from '../money/prices.ts';
import { formatDuration } from '../text/duration.ts';
import { barText, rateText, statesText } from './draw-counts.ts';

/** Everything that one frame of the display is drawn from. */
export type View = {
  counts: BatchCounts;
  /** Milliseconds since this command began. */
  elapsedMs: number;
  snapshot: Snapshot;
  prices: Prices;
};

const BAR_WIDTH = 30;
/** More would push the rest out of a small terminal. */
const MOST_FINDINGS = 4;
/** The workers of this process tell of themselves a moment after they began. */
const UNTIL_HEARD_MS = 5_000;

/** The live display, one element per line. */
export function drawView(view: View): string[] {
  const { counts, snapshot } = view;
  const { findings, left } = toldOf(view);
  return [
    `${[barText(counts, BAR_WIDTH), formatDuration(view.elapsedMs), left].filter((part) => part !== '').join('  ')}`,
    `  ${statesText(counts)}`,
    `  rate ${ratesText(snapshot)}   ${costText(view)}`,
    ...findings.slice(0, MOST_FINDINGS).flatMap((finding) => describeFinding(finding, snapshot.at).map(indented)),
  ];
}

/** The same on a single line, for logs. */
export function lineOf(view: View): string {
  const { counts, snapshot } = view;
  const { findings, left } = toldOf(view);
  return [
    `${counts.batch}: ${doneOf(counts)}/${counts.total} done, ${statesText(counts)}`,
    `rate ${ratesText(snapshot)}`,
    costText(view),
    ...(left === '' ? [] : [left]),
    ...findings.slice(0, 1).map((finding) => `${describeWhat(finding, snapshot.at)}: ${finding.remedy}`),
  ].join('; ');
}

/** What it stands still for; undefined while it goes on. */
export function standsStillFor(view: View): Finding | undefined {
  const left = timeLeft(view.counts, view.snapshot, toldOf(view).findings);
  return left.kind === 'still' ? left.by : undefined;
}

function toldOf({ counts, snapshot, elapsedMs }: View): { findings: readonly Finding[]; left: string } {
  const isHeard = snapshot.workers.length > 0 || elapsedMs > UNTIL_HEARD_MS;
  const findings = diagnose(snapshot).findings.filter(({ kind }) => isHeard || kind !== 'no-worker');
  return { findings, left: describeTimeLeft(timeLeft(counts, snapshot, findings)) };
}

/** Of the accounts that submits went to; before any, of the first. */
function ratesText(snapshot: Snapshot): string {
  const all = ratesOfAll(snapshot, 'submit');
  const used = all.filter(({ sent }) => sent > 0);
  return (used.length > 0 ? used : all.slice(0, 1)).map(rateText).join(' and ');
}

function costText({ counts, prices }: View): string {
  return `spent ${spentWords(counts, prices.usdPerCredit)}`;
}

const indented = (line: string) => `  ${line}`;
