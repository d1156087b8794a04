import type { Queue } from 'bullmq';
import type { Item, Submitted } from '../items/item.ts';
import { SUBMIT_WAYS, submitWayOf } from '../items/submit-way.ts';
import { pollQueueOf, submitQueueOf } from './names.ts';
import { queueGroup } from './queue-group.ts';

export const STAGES = ['submit', 'poll', 'archive', 'finish'] as const;
export type Stage = (typeof STAGES)[number];

/** The queues of a route by what is in them. Those of lanes are opened when they are first needed. */
export function stageQueues(open: (name: string) => Queue) {
  const bySubmit = {
    ...{ kie: open(submitQueueOf('kie')), bfl: open(submitQueueOf('bfl')) },
    either: open(submitQueueOf('either')),
  };
  const byStage = { submit: bySubmit.kie, poll: open('poll'), archive: open('archive'), finish: open('finish') };
  const ofLanes = new Map<string, Queue>();
  const pollOf = ({ lane }: { lane?: string | undefined }): Queue => {
    if (lane === undefined) return byStage.poll;
    const queue = ofLanes.get(lane) ?? open(pollQueueOf(lane));
    ofLanes.set(lane, queue);
    return queue;
  };
  const submits = queueGroup<Item>(
    () => Object.values(bySubmit),
    (item) => bySubmit[submitWayOf(item)],
  );
  const polls = queueGroup<Submitted>(() => [byStage.poll, ...ofLanes.values()], pollOf);
  const of = (stage: Stage): readonly Queue[] => {
    if (stage === 'submit') return submits.all();
    return stage === 'poll' ? polls.all() : [byStage[stage]];
  };
  /** All of them by the names that they have in a route whose names end in nothing. */
  const named = (): readonly { name: string; queue: Queue }[] => [
    ...SUBMIT_WAYS.map((way) => ({ name: submitQueueOf(way), queue: bySubmit[way] })),
    ...(['poll', 'archive', 'finish'] as const).map((stage) => ({ name: stage, queue: byStage[stage] })),
    ...[...ofLanes].map(([lane, queue]) => ({ name: pollQueueOf(lane), queue })),
  ];
  return { byStage, bySubmit, submits, polls, pollOf, of, named, all: () => STAGES.flatMap(of) };
}
