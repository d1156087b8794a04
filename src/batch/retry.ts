import { readable, readRecords } from '../archive/read-records.ts';
import type { ItemState } from '../items/item-state.ts';
import { mayYieldItsImage } from '../items/reconcile.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { itemOfRecord, requeuedRecord, resumedTask } from '../items/transitions.ts';
import { type Cost, costOf } from '../money/estimate.ts';
import { loadPrices } from '../money/load-prices.ts';
import { plural } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import type { PassOver } from './held.ts';

/** An item to make live again: `submit` pays anew, `ask` polls a task that is paid for. */
export type Choice = { id: string; name: string; model: string; how: 'submit' | 'ask' };
export type EndedState = Extract<ItemState, 'failed' | 'held'>;

const CHUNK = 500;

/** The failed items of a batch, all or those of some classes. An item that a person dropped comes back only by its class, `cancelled`. */
export async function chooseFailed(
  { state, records, config, clock }: Pick<Connections, 'state' | 'records' | 'config' | 'clock'>,
  batch: string,
  classes: readonly Failure['class'][],
  passOver: PassOver = () => {},
): Promise<Choice[]> {
  const isWanted = (failure: Failure) =>
    classes.length > 0 ? classes.includes(failure.class) : failure.class !== 'cancelled';
  const settings = { now: clock.now(), storedTtlMs: config.storedTtlMs };
  const chosen: Choice[] = [];
  for await (const record of readable(readRecords(records, batch, state.itemsIn(batch, ['failed'])), passOver)) {
    // A record that is `queued` again: a former retry was cut off before the state followed.
    if (record.state === 'queued' || (record.state === 'failed' && isWanted(record.failure))) {
      chosen.push(choiceOf(record, settings));
    }
  }
  return chosen;
}

function choiceOf(record: ItemRecord, settings: { now: number; storedTtlMs: number }): Choice {
  const ended = record.state === 'failed' || record.state === 'held';
  const asks = ended && mayYieldItsImage(record, settings);
  return { id: record.id, name: record.name, model: record.request.model, how: asks ? 'ask' : 'submit' };
}

type RetryPorts = Pick<Connections, 'records' | 'state' | 'control' | 'queues' | 'config' | 'clock'>;

/**
 * Makes ended items live again: record, then state, then job, each of which may be repeated. Returns how many were still in the
 * state that they were chosen in. When it is cut off before the job, the items are queued without one; enqueueing their
 * manifest adds it.
 */
export async function requeueItems(
  ports: RetryPorts,
  batch: string,
  was: EndedState,
  choices: readonly Choice[],
): Promise<number> {
  await ports.control.uncancel(batch);
  let sum = 0;
  for (let start = 0; start < choices.length; start += CHUNK) {
    sum += await requeueSome(ports, batch, was, choices.slice(start, start + CHUNK));
  }
  return sum;
}

async function requeueSome(
  { records, state, queues, config, clock }: RetryPorts,
  batch: string,
  was: EndedState,
  choices: readonly Choice[],
): Promise<number> {
  const how = new Map(choices.map((choice) => [choice.id, choice.how]));
  const ids = choices.map(({ id }) => id);
  const states = await state.intake.states(batch, ids);
  const still = ids.filter((_, index) => states[index] === was);

  const submits: ItemRecord[] = [];
  const asks: ItemRecord[] = [];
  for await (const record of readable(readRecords(records, batch, still), () => {})) {
    (how.get(record.id) === 'submit' ? submits : asks).push(record);
  }
  await Promise.all(
    submits.map((record) => (record.state === was ? records.write(requeuedRecord(record)) : undefined)),
  );
  await state.intake.admit(batch, [
    ...submits.map(({ id }) => ({ id, was, to: 'queued' as const })),
    ...asks.map(({ id }) => ({ id, was, to: 'submitted' as const })),
  ]);
  const giveUpAt = clock.now() + config.pollGiveUpMs;
  if (submits.length > 0) await queues.submitAgain(submits.map(itemOfRecord));
  if (asks.length > 0) await queues.pollAgain(asks.flatMap((record) => resumedTask(record, giveUpAt)));
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
