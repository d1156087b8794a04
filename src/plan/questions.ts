import type { BatchLook } from '../batch/batch-look.ts';
import { leftInQueue } from '../batch/left-waiting.ts';
import { submitsToCome } from '../batch/submits-to-come.ts';
import type { NewItem } from '../items/item.ts';
import { asksFirst } from '../money/asks-first.ts';
import { describeSpending } from '../money/describe-spending.ts';
import { costOf, countOf, together } from '../money/estimate.ts';
import type { Connections } from '../wiring/connections.ts';
import { describeDifference, isMuchMadeAgain, madeAgain } from './describe-difference.ts';
import { type Difference, differenceOf } from './difference.ts';

/** What somebody wants enqueued. */
export type Wanted = {
  batch: string;
  items: () => AsyncIterable<NewItem>;
  /** Items of the whole manifest, by model. */
  byModel: Readonly<Record<string, number>>;
  /** Only a part of the manifest is wanted. */
  isPart: boolean;
};

/** What a person is asked before a manifest is enqueued. */
export type Question =
  | {
      /** More than a fifth of what is archived would be made, and paid for, again: an edit of `defaults`, or a new name, does that. */
      kind: 'make-again';
      /** The whole of it, for people. */
      message: string;
      /** How many images would be made again. */
      items: number;
    }
  | {
      /** More than CONFIRM_CREDITS would be spent. */
      kind: 'spend';
      /** The whole of it, for people. */
      message: string;
      /** How many tasks would be submitted, those that earlier runs left waiting among them. */
      items: number;
      /** What they cost, whatever the budget; undefined where a model has no price. */
      credits: number | undefined;
    };

/** Undefined where nothing, or little of what is archived, would be made again. */
export async function makeAgainQuestion(
  { records, state }: Pick<Connections, 'records' | 'state'>,
  { batch, items, isPart }: Wanted,
): Promise<Extract<Question, { kind: 'make-again' }> | undefined> {
  const difference = await differenceOf(batch, items(), { records, isPart, states: state.intake.states });
  if (!isMuchMadeAgain(difference)) return undefined;
  return { kind: 'make-again', message: describeRemake(batch, difference), items: madeAgain(difference) };
}

function describeRemake(batch: string, difference: Difference): string {
  const again = madeAgain(difference).toLocaleString('en-US');
  const recorded = difference.recorded.toLocaleString('en-US');
  return `${batch}: ${again} of ${recorded} archived images would be made, and paid for, again: ${describeDifference(difference).join('; ')}`;
}

type SpendPorts = Pick<Connections, 'archive' | 'config' | 'prices' | 'clock' | 'records' | 'state'> & {
  look?: BatchLook;
};

/** Items that earlier runs left waiting and that are not asked for now, by model: they are made too. */
export function waitingOf(connections: SpendPorts, { batch, items }: Wanted): Promise<Record<string, number>> {
  return leftInQueue(connections, batch, items());
}

/** Only items that are not submitted yet count, and the budget caps the amount. Undefined up to CONFIRM_CREDITS. */
export async function spendQuestion(
  connections: SpendPorts,
  { batch, items, byModel }: Wanted,
  waiting: Readonly<Record<string, number>>,
): Promise<Extract<Question, { kind: 'spend' }> | undefined> {
  const { config, prices } = connections;
  if (!asksFirst(together(byModel, waiting), prices, config)) return undefined;
  const left = together(await submitsToCome(connections, batch, items()), waiting);
  const cost = costOf(left, prices);
  if (!asksFirst(left, prices, config)) return undefined;
  const message = `${batch}: ${describeSpending(left, prices, config)}`;
  return { kind: 'spend', message, items: countOf(left), credits: cost.credits };
}
