import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chargesOf, isUnknown } from '../../src/items/charges.ts';
import type { Item } from '../../src/items/item.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { itemNamed, openRig, type Rig, sentAgo } from '../stages/rig.ts';
import { type OneItem, OUTSIDERS, type Outsider, oneItem, PRICES } from './one-item.ts';
import type { Actor } from './turns.ts';

/** How the item stands when all begin. In each of them the provider has a task of it already. */
const BEGINNINGS = ['held without its task', 'held with its task', 'failed', 'failed, perhaps with an image'] as const;
type Beginning = (typeof BEGINNINGS)[number];

/** More steps than any of them takes together: who needs more goes in a circle. */
const MOST_STEPS = 2_000;

let items = 0;

/** The item at one of these beginnings, with a task that the provider has really accepted. */
async function begin(rig: Rig, beginning: Beginning) {
  items += 1;
  const batch = `spring-${items}`;
  const request = { prompt: `A lighthouse, number ${items}`, model: 'flux-kontext-pro', outputFormat: 'png' } as const;
  const item = itemNamed('lighthouse', { batch, request });
  const accepted = await rig.ports.provider.submit(request);
  if (accepted.kind !== 'accepted') throw new Error('Expected a task');
  const { handle: taskId } = accepted;
  const record = recordAt(beginning, item, taskId);
  await rig.records.write(record);
  await rig.state.intake.open(batch, { archive: rig.archive.url, api: 'http://127.0.0.1:1', digest: 'digest' });
  await rig.state.intake.admit(batch, [{ id: item.id, was: undefined, to: record.state }]);
  await rig.state.intake.seal(batch);
  return { item, taskId };
}

function recordAt(beginning: Beginning, item: Item, taskId: string): Extract<ItemRecord, { state: 'held' | 'failed' }> {
  const sent = sentAgo(item, 1_000);
  switch (beginning) {
    case 'held without its task':
      return { ...sent, state: 'held', failure: { class: 'unknown-outcome', message: 'reset' } };
    case 'held with its task':
      return { ...sent, state: 'held', taskId, failure: { class: 'poll-timeout', message: 'late' } };
    case 'failed':
      return { ...sent, state: 'failed', taskId, failure: { class: 'generation-failed', message: 'no' } };
    case 'failed, perhaps with an image':
      return { ...sent, state: 'failed', taskId, failure: { class: 'unreachable', message: 'down' } };
    default:
      return beginning satisfies never;
  }
}

const tasksOf = (record: ItemRecord | undefined) =>
  new Set(record ? [...record.earlierTaskIds, ...('taskId' in record && record.taskId ? [record.taskId] : [])] : []);

/** Holds after each step: nothing comes back from `archived`, and no task id goes. */
function watch(read: () => Promise<ItemRecord | undefined>) {
  let before: ItemRecord | undefined;
  return async () => {
    const now = await read();
    if (before?.state === 'archived') expect(now, 'went on from archived').toEqual(before);
    for (const id of tasksOf(before)) expect(tasksOf(now), 'lost a task').toContain(id);
    before = now;
  };
}

/** Runs all of them, whose next step comes by `picks`; workers begin whatever job there is. Then all to their end. */
async function interleave(
  one: OneItem,
  outsiders: readonly Outsider[],
  picks: readonly number[],
  check: () => Promise<void>,
) {
  const actors: Actor[] = await Promise.all(outsiders.map((who) => one.start(who)));
  const trace: string[] = [];
  for (let steps = 0; ; steps++) {
    if (steps > MOST_STEPS) throw new Error(`Expected an end: ${trace.slice(-60).join(', ')}`);
    const open = actors.filter((actor) => !actor.isOver());
    const startable = one.waiting();
    const count = open.length + startable.length;
    if (count === 0) return trace;
    const pick = (picks[steps] ?? steps) % count;
    const actor = open[pick];
    const worker = startable[pick - open.length];
    if (actor) await actor.step();
    else if (worker) actors.push(await one.startWorker(worker[0], worker[1].start));
    trace.push(actor?.name ?? `begin ${worker?.[0]}`);
    await check();
  }
}

async function expectAgreement(rig: Rig, item: Item) {
  const record = await rig.records.read(item.batch, item.id);
  if (!record) throw new Error('Expected a record');
  const state = await rig.state.stateOf(item);
  // A queued item that is cancelled keeps its record, and what it cost, until its manifest is enqueued again.
  expect(state, `its record is ${record.state}`).toBe(record.state === 'queued' ? 'cancelled' : record.state);
  const accepted = rig.simulator.ledger().taskLog.filter(({ request }) => isOf(item, request));
  const unnamed = accepted.filter(({ taskId }) => !tasksOf(record).has(taskId));
  const unknown = (record.unknownAttempts ?? 0) + (isUnknown(record) ? 1 : 0);
  expect(unnamed.length, 'paid for, and not in the record').toBeLessThanOrEqual(unknown);
  const charged = (await rig.redis.hget(rig.keys.charges(item.batch), item.id)) ?? '';
  const { known, unsettled } = chargesOf(record, PRICES);
  expect(charged.split('|').slice(0, 3).map(Number), 'the charges').toEqual([known, unsettled, 0]);
  return accepted.length;
}

function isOf(item: Item, request: unknown): boolean {
  return typeof request === 'object' && request !== null && Reflect.get(request, 'prompt') === item.request.prompt;
}

/** Redis may be emptied now: nothing is paid for again but what a person has asked for and was not sent yet. */
async function expectNothingPaidAgain(rig: Rig, one: OneItem, item: Item, paid: number) {
  const record = await rig.records.read(item.batch, item.id);
  if (record?.state === 'queued' || (record?.state === 'held' && record.taskId === undefined)) return;
  await rig.redis.del(rig.keys.batch(item.batch), rig.keys.items(item.batch), rig.keys.charges(item.batch));
  one.clear();
  await one.enqueueAlone();
  await interleave(one, [], [], async () => {});
  const accepted = rig.simulator.ledger().taskLog.filter(({ request }) => isOf(item, request));
  expect(accepted.length, 'paid for again').toBe(paid);
}

const story = fc.record({
  beginning: fc.constantFrom(...BEGINNINGS),
  outsiders: fc.uniqueArray(fc.constantFrom(...OUTSIDERS), { minLength: 1, maxLength: 5 }),
  /** The answer to a submit is lost, a generation fails; once each. */
  faults: fc.subarray(['reset-after-accept', 'flag-3'] as const),
  picks: fc.array(fc.nat({ max: 11 }), { maxLength: 120 }),
});

test('whoever changes an item, and whenever: no archived record goes on, no task is lost, and all agree at the end', async () => {
  const rig = await openRig();
  await fc.assert(
    fc.asyncProperty(story, async ({ beginning, outsiders, faults, picks }) => {
      rig.simulator.setFaults([]);
      const { item, taskId } = await begin(rig, beginning);
      rig.simulator.setFaults(faults.map((name) => ({ name, times: 1 })));
      const one = oneItem(rig, item, taskId);
      const check = watch(() => rig.records.read(item.batch, item.id));
      await check();
      await interleave(one, outsiders, picks, check);
      await expectNothingPaidAgain(rig, one, item, await expectAgreement(rig, item));
      await one.close();
    }),
    { numRuns: Number(process.env.STORIES ?? 100) },
  );
}, 600_000);
