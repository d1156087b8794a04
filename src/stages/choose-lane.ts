import { setMaxListeners } from 'node:events';
import type { Item } from '../items/item.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';
import { submit } from './submit.ts';

/** An account that an item may be submitted in. */
export type SubmitLane = {
  name: string;
  share: number;
  /** As many tasks run at once at most. */
  maxTasks: number;
  ports: Ports;
  /** When one request more could be sent there; see `Outlook` in fleet/limiter-scripts.ts. */
  outlook(): Promise<{ waitMs: number; isFull: boolean; waiting: number }>;
};

/** Lanes whose next slots are as near as this could send at once: their shares decide. */
const AT_ONCE_MS = 20;
/** Of a model of which nothing is learned yet. */
const USUAL_TASK_MS = 10_000;

export type Turns = ReturnType<typeof laneTurns>;

/**
 * Submits an item in the lane that can send soonest. One that is closed, also by what this submit meets there, is left for the others:
 * its outcome says that nothing was started. `turns`: what the process has sent where.
 */
export async function submitInLanes(
  item: Item,
  run: Run,
  lanes: readonly SubmitLane[],
  turns: Turns,
): Promise<StageOutcome> {
  const [first] = lanes;
  if (!first) throw new Error('Expected a lane');
  // Who may go to another provider does not wait for a slot of a lane that was closed meanwhile.
  if (lanes.length === 1 && !item.providers) return submit(item, run, first.ports);
  let open = await admitting(item, lanes);
  let closed: StageOutcome | undefined;
  while (open.length > 0) {
    const lane = turns.next(await soonest(item, open));
    const waiting = turns.waitIn(lane, run.signal);
    const outcome = await submit(item, { ...run, signal: waiting }, lane.ports);
    const isClosed = outcome.kind === 'later' && outcome.restMs !== undefined;
    if (isClosed) turns.leave(lane);
    // Also where it waited for its slot there, and another submit has found the lane closed.
    if (run.signal.aborted || !(isClosed || waiting.aborted) || outcome.kind === 'done') return outcome;
    closed = outcome;
    open = open.filter((one) => one !== lane);
  }
  // What stops all of them is told, and waited for, as of one.
  return closed ?? submit(item, run, first.ports);
}

/** Those whose breaker lets it through. Where a person or the budget keeps it, that is so in all. */
async function admitting(item: Item, lanes: readonly SubmitLane[]): Promise<readonly SubmitLane[]> {
  const says = await Promise.all(
    lanes.map(({ ports: { state, settings } }) => state.checkAdmission(item, settings.creditsOf(item.request))),
  );
  return lanes.filter((_, index) => says[index] === 'admitted');
}

/** The lanes that could send first, all of them if at once. */
async function soonest(item: Item, lanes: readonly SubmitLane[]): Promise<readonly SubmitLane[]> {
  if (lanes.length === 1) return lanes;
  const waits = await Promise.all(lanes.map((lane) => waitIn(lane, item)));
  const least = Math.max(AT_ONCE_MS, Math.min(...waits));
  return lanes.filter((_, index) => (waits[index] ?? Infinity) <= least);
}

/** Where all that may run does, those before it wait for one end each, which come one after the other. */
async function waitIn({ outlook, maxTasks, ports }: SubmitLane, item: Item): Promise<number> {
  const { waitMs, isFull, waiting } = await outlook();
  if (!isFull) return waitMs;
  const durations = await ports.durations.sample(item.request.model);
  const usualMs = durations[Math.floor(durations.length / 2)] ?? USUAL_TASK_MS;
  return Math.max(waitMs, ((waiting + 1) * usualMs) / maxTasks);
}

/** What one process has sent in which lane, and who waits there. */
export function laneTurns() {
  const due = new Map<string, number>();
  const waiting = new Map<string, AbortController>();

  return {
    /** Of lanes that could all send now: each in turn, as often as its share says, and evenly spread. */
    next(lanes: readonly SubmitLane[]): SubmitLane {
      const dueOf = ({ name }: SubmitLane) => due.get(name) ?? 0;
      for (const lane of lanes) due.set(lane.name, dueOf(lane) + lane.share);
      const [lane] = [...lanes].sort((one, other) => dueOf(other) - dueOf(one));
      if (!lane) throw new Error('Expected a lane');
      due.set(lane.name, dueOf(lane) - lanes.reduce((sum, { share }) => sum + share, 0));
      return lane;
    },
    /** Aborted when the process drains, and when the lane is found closed. */
    waitIn({ name }: SubmitLane, drains: AbortSignal): AbortSignal {
      const known = waiting.get(name);
      if (known) return known.signal;
      const controller = new AbortController();
      setMaxListeners(0, controller.signal);
      if (drains.aborted) controller.abort();
      drains.addEventListener('abort', () => controller.abort(), { once: true, signal: controller.signal });
      waiting.set(name, controller);
      return controller.signal;
    },
    /** Whoever waits for a slot there looks elsewhere. */
    leave({ name }: SubmitLane): void {
      waiting.get(name)?.abort();
      waiting.delete(name);
    },
  };
}
