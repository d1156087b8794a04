import { readable, readRecords } from '../archive/read-records.ts';
import type { ItemState } from '../items/item-state.ts';
import { mayYieldItsImage } from '../items/reconcile.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { requeuedRecord } from '../items/transitions.ts';
import { type Cost, costOf } from '../money/estimate.ts';
import { loadPrices } from '../money/load-prices.ts';
import { kindOf } from '../money/prices.ts';
import { plural } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { askAgain, changeItems, itemsInStates, type ToldItem } from './change-items.ts';
import type { PassOver } from './held.ts';
import { describeMissing, inputsOfRequest, missingInputs } from './missing-inputs.ts';

/** An item to make live again: `submit` pays anew, `ask` polls a task that is paid for. */
export type Choice = {
  id: string;
  name: string;
  model: string;
  how: 'submit' | 'ask';
  /** References of the pictures that it starts from. */
  inputs?: readonly string[];
};
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
  return choiceTo(asks ? 'ask' : 'submit', record);
}

export function choiceTo(
  how: Choice['how'],
  { id, name, request }: Pick<ItemRecord, 'id' | 'name' | 'request'>,
): Choice {
  const inputs = inputsOfRequest(request);
  return { id, name, model: kindOf(request), how, ...(inputs.length > 0 && { inputs }) };
}

/** `lacking`: those to submit that start from a picture which is not in the archive any more, and why. */
export async function withTheirInputs(
  { archive }: Pick<Connections, 'archive'>,
  batch: string,
  choices: readonly Choice[],
): Promise<{ ready: Choice[]; lacking: { id: string; why: string }[] }> {
  const inputsOf = ({ how, inputs = [] }: Choice) => (how === 'submit' ? inputs : []);
  const missing = await missingInputs(archive, batch, choices.flatMap(inputsOf));
  const ready: Choice[] = [];
  const lacking: { id: string; why: string }[] = [];
  for (const choice of choices) {
    const lacks = inputsOf(choice).find((reference) => missing.has(reference));
    if (lacks === undefined) ready.push(choice);
    else lacking.push({ id: choice.id, why: describeMissing(lacks) });
  }
  return { ready, lacking };
}

type RetryPorts = Pick<Connections, 'records' | 'state' | 'control' | 'queues' | 'config' | 'clock'>;

/**
 * Makes ended items live again. Returns how many; what has gone on since it was chosen is told to `onLeft` and left as it is. When
 * it is cut off, saying it again completes it, and so does enqueueing the manifest.
 */
export async function requeueItems(
  ports: RetryPorts,
  batch: string,
  was: EndedState,
  choices: readonly Choice[],
  onLeft: (item: ToldItem) => void = () => {},
): Promise<number> {
  await ports.control.uncancel(batch);
  let sum = 0;
  for (let start = 0; start < choices.length; start += CHUNK) {
    sum += await requeueSome(ports, batch, was, choices.slice(start, start + CHUNK), onLeft);
  }
  return sum;
}

async function requeueSome(
  ports: RetryPorts,
  batch: string,
  was: EndedState,
  choices: readonly Choice[],
  onLeft: (item: ToldItem) => void,
): Promise<number> {
  const idsToBe = (wanted: Choice['how']) => choices.filter(({ how }) => how === wanted).map(({ id }) => id);
  const told = await changeItems(ports, batch, idsToBe('submit'), {
    from: [was],
    change: (record) => (record.state === was ? requeuedRecord(record) : undefined),
  });
  const asked = await askAgain(ports, batch, await endedItems(ports, batch, was, idsToBe('ask')));
  for (const item of told) if (!item.changed) onLeft(item);
  return told.filter(({ changed }) => changed).length + asked;
}

/** Those that are still in this state by Redis and by their records. */
async function endedItems(ports: RetryPorts, batch: string, was: EndedState, ids: readonly string[]) {
  const standing = (await itemsInStates(ports, batch, ids, [was])).map(({ id }) => id);
  const ended: { was: EndedState; record: ItemRecord }[] = [];
  for await (const record of readable(readRecords(ports.records, batch, standing), () => {})) {
    if (record.state === was) ended.push({ was, record });
  }
  return ended;
}

export async function costOfChoices(
  choices: readonly Choice[],
  files: Parameters<typeof loadPrices>[0],
): Promise<Cost> {
  const byModel: Record<string, number> = {};
  for (const { how, model } of choices) if (how === 'submit') byModel[model] = (byModel[model] ?? 0) + 1;
  return costOf(byModel, await loadPrices(files));
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
