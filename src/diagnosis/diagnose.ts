import { type BatchCounts, hasEnded } from '../batch/counts.ts';
import { archiveBehind } from './archive-lag.ts';
import { ofPeople } from './batches.ts';
import { callbacksAway } from './callbacks.ts';
import { type Diagnosis, type Finding, type Kind, worstFirst } from './finding.ts';
import { pacedBy, slowness } from './limits.ts';
import { imagesAtRisk, outOfReach } from './out-of-reach.ts';
import type { Snapshot } from './snapshot.ts';
import { stoppedLanes } from './stopped.ts';
import { clockSkew, missingWorkers } from './workers.ts';

/** They slow nothing down by themselves. */
const NO_BOTTLENECK: readonly Kind[] = [
  ...(['images-at-risk', 'callbacks-away', 'clock-skew', 'held', 'rate-refused'] as const),
  ...(['images-missing', 'records-unreadable', 'lane-closed'] as const),
];

/** What holds the batches up that were looked at, by that one look. */
export function diagnose(snapshot: Snapshot): Diagnosis {
  const { batches } = snapshot;
  const findings = worstFirst([
    ...outOfReach(snapshot),
    ...stoppedLanes(snapshot),
    ...missingWorkers(snapshot),
    ...ofPeople(snapshot),
    ...imagesAtRisk(snapshot),
    ...archiveBehind(snapshot),
    ...slowness(snapshot),
    ...callbacksAway(snapshot),
    ...clockSkew(snapshot),
  ]);
  const live = batches.filter((counts) => !hasEnded(counts));
  return { findings, bottleneck: live.length === 0 ? null : bottleneckOf(snapshot, findings, live) };
}

function bottleneckOf(snapshot: Snapshot, findings: readonly Finding[], live: readonly BatchCounts[]): Finding | null {
  const isHeldUp = (counts: BatchCounts) => findings.some((one) => one.batch === counts.batch && holdsUp(one, counts));
  const allAreHeldUp = live.every(isHeldUp);
  const ofAll = findings.find(({ kind, batch }) => batch === undefined && !NO_BOTTLENECK.includes(kind));
  const ofBatches = allAreHeldUp
    ? findings.find((one) => live.some((counts) => one.batch === counts.batch && holdsUp(one, counts)))
    : undefined;
  const pace = pacedBy(snapshot, live);
  // Of one account of several it is not what paces them all: the pace tells the limits of each.
  const isOfAll = ({ lane }: Finding) => lane === undefined || snapshot.lanes.length < 2;
  const lowered = findings.find((one) => one.kind === 'rate-refused' && isOfAll(one));
  const [worst = pace] = worstFirst([ofAll, ofBatches].filter((one) => one !== undefined));
  return worst?.kind === 'submit-rate' && lowered ? lowered : worst;
}

/** Whether it keeps all that is left of its batch from going on. */
function holdsUp({ kind }: Finding, { items, overBudget }: BatchCounts): boolean {
  if (NO_BOTTLENECK.includes(kind)) return false;
  const hasRoom = items.queued > overBudget.items || items.submitting + items.submitted + items.finished > 0;
  return kind !== 'out-of-budget' || !hasRoom;
}
