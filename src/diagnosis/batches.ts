import { type BatchCounts, hasEnded } from '../batch/counts.ts';
import { plural } from '../text/terminal.ts';
import { budgetWords, largerBudget } from './budget-words.ts';
import { type Finding, finding } from './finding.ts';
import type { Snapshot } from './snapshot.ts';

/** What a person has said, and what waits for one. */
export function ofPeople({ batches, pausedAt }: Pick<Snapshot, 'batches' | 'pausedAt'>): Finding[] {
  return [
    ...(pausedAt === null
      ? []
      : [finding('paused', 'all batches are paused', 'flux-batch resume --all goes on', { since: pausedAt })]),
    ...batches.flatMap((counts) => ofBatch(counts)),
  ];
}

function ofBatch(counts: BatchCounts): Finding[] {
  const { batch, items, pausedAt, overBudget, orphans, missing, unreadable } = counts;
  const found: Finding[] = [];
  const add = (kind: Finding['kind'], what: string, remedy: string, since?: number) =>
    found.push(finding(kind, what, remedy, { batch, ...(since === undefined ? {} : { since }) }));
  if (pausedAt !== undefined && !hasEnded(counts))
    add('paused', `${batch} is paused`, `flux-batch resume ${batch} goes on`, pausedAt);
  if (overBudget.items > 0 && !hasEnded(counts)) {
    const wait = `${plural(overBudget.items, 'item')} of ${overBudget.credits} credits ${overBudget.items === 1 ? 'waits' : 'wait'}`;
    add('out-of-budget', `${batch} is out of budget: ${wait} beyond ${budgetWords(counts)}`, largerBudget(counts));
  }
  if (orphans > 0) {
    const lost = orphans === 1 ? 'has lost its job' : 'have lost their jobs';
    add('jobs-lost', `${plural(orphans, 'item')} of ${batch} ${lost}`, 'enqueue the manifest again');
  }
  if (items.held > 0) {
    const wait = items.held === 1 ? '1 item is held and waits' : `${plural(items.held, 'item')} are held and wait`;
    add('held', `${batch}: ${wait} for your decision`, `flux-batch held ${batch} lists them`);
  }
  if (missing > 0) {
    const are = missing === 1 ? '1 image is' : `${plural(missing, 'image')} are`;
    const remedy = `put back what you have a copy of; flux-batch results ${batch} names them, and flux-batch redo ${batch} <id> makes one anew, at its price`;
    add('images-missing', `${batch}: ${are} not in the archive any more`, remedy);
  }
  if (unreadable > 0) {
    const remedy = `flux-batch results ${batch} names the files and what is wrong: put them right, then run the manifest again`;
    add('records-unreadable', `${batch}: ${plural(unreadable, 'record')} cannot be read`, remedy);
  }
  return found;
}
