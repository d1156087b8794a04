import type { ItemState } from '../items/item-state.ts';
import { mayYieldItsImage } from '../items/reconcile.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { itemOfRecord, reopenedRecord, resumedTask } from '../items/transitions.ts';
import { type Cost, costOf } from '../money/estimate.ts';
import { loadPrices } from '../money/prices.ts';
import { plural } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { readRecords } from './read-records.ts';

/** What is to be made live again: `submit` pays anew, `ask` asks again for a task that is paid for. */
export type Choice = { id: string; name: string; model: string; how: 'submit' | 'ask' };
export type EndedState = Extract<ItemState, 'failed' | 'held'>;

const CHUNK = 500;

/** The failed items of a batch, all or those of some classes. What a person dropped comes back only by its class, `cancelled`. */
export async function chooseFailed(
  connections: Connections,
  batch: string,
  classes: readonly Failure['class'][],
): Promise<Choice[]> {
  const wanted = (failure: Failure) =>
    classes.length > 0 ? classes.includes(failure.class) : failure.class !== 'cancelled';
  const chosen: Choice[] = [];
  const ids = connections.state.itemsIn(batch, ['failed']);
  for await (const records of readRecords(connections.records, ids, batch, CHUNK)) {
    for (const record of records) {
      // A record that is `queued` again: a former retry was cut off before the state followed.
      if (record.state === 'queued' || (record.state === 'failed' && wanted(record.failure)))
        chosen.push(choiceOf(record, connections));
    }
  }
  return chosen;
}

function choiceOf(record: ItemRecord, { config, clock }: Connections): Choice {
  const ended = record.state === 'failed' || record.state === 'held';
  const asks = ended && mayYieldItsImage(record, { now: clock.now(), storedTtlMs: config.storedTtlMs });
  return { id: record.id, name: record.name, model: record.request.model, how: asks ? 'ask' : 'submit' };
}

/**
 * Makes ended items live again: record, then state, then job, each of which may be repeated. Returns how many were still as
 * chosen. Cut off before the last, the items are queued without a job: enqueueing their manifest adds it.
 */
export async function reopen(
  connections: Connections,
  batch: string,
  was: EndedState,
  choices: readonly Choice[],
): Promise<number> {
  await connections.control.reopen(batch);
  let sum = 0;
  for (let start = 0; start < choices.length; start += CHUNK) {
    sum += await reopenSome(connections, batch, was, choices.slice(start, start + CHUNK));
  }
  return sum;
}

async function reopenSome(
  connections: Connections,
  batch: string,
  was: EndedState,
  choices: readonly Choice[],
): Promise<number> {
  const { records, state, queues, config, clock } = connections;
  const how = new Map(choices.map((choice) => [choice.id, choice.how]));
  const ids = choices.map(({ id }) => id);
  const states = await state.intake.states(batch, ids);
  const still = ids.filter((_, index) => states[index] === was);

  for await (const found of readRecords(records, each(still), batch, CHUNK)) {
    const submits = found.filter(({ id }) => how.get(id) === 'submit');
    const asks = found.filter(({ id }) => how.get(id) === 'ask');
    await Promise.all(
      submits.map((record) => (record.state === was ? records.write(reopenedRecord(record)) : undefined)),
    );
    await state.intake.admit(batch, [
      ...submits.map(({ id }) => ({ id, was, to: 'queued' as const })),
      ...asks.map(({ id }) => ({ id, was, to: 'submitted' as const })),
    ]);
    const giveUpAt = clock.now() + config.pollGiveUpMs;
    if (submits.length > 0) await queues.submitAgain(submits.map(itemOfRecord));
    if (asks.length > 0) await queues.pollAgain(asks.flatMap((record) => resumedTask(record, giveUpAt)));
  }
  return still.length;
}

export async function costOfChoices(choices: readonly Choice[], pricesFile: string | undefined): Promise<Cost> {
  const byModel: Record<string, number> = {};
  for (const { how, model } of choices) if (how === 'submit') byModel[model] = (byModel[model] ?? 0) + 1;
  return costOf(byModel, await loadPrices(pricesFile));
}

/** `3 items to submit again for 24 credits, about $0.12; 1 to ask for again, at no cost`. */
export function describeChoices(choices: readonly Choice[], cost: Cost): string {
  const submits = choices.filter(({ how }) => how === 'submit').length;
  const asks = choices.length - submits;
  const price =
    cost.credits === undefined
      ? `no price known for ${cost.unpriced.join(', ')}`
      : `${cost.credits.toLocaleString('en-US')} credits, about $${(cost.usd ?? 0).toFixed(2)}`;
  return [
    ...(submits > 0 ? [`${plural(submits, 'item')} to submit again for ${price}`] : []),
    ...(asks > 0 ? [`${plural(asks, 'paid task')} to ask for again, at no cost`] : []),
  ].join('; ');
}

async function* each(ids: readonly string[]): AsyncGenerator<string> {
  yield* ids;
}
