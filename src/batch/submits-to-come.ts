import type { NewItem } from '../items/item.ts';
import { kindOfSubmit } from '../money/prices.ts';
import type { Connections } from '../wiring/connections.ts';
import { formerImage } from './adopt.ts';
import type { BatchLook } from './batch-look.ts';
import { chunksOf } from './chunks-of.ts';
import { recordedIds, settled } from './settle-ids.ts';
import { stepsOf } from './steps.ts';

const CHUNK = 500;

/** How many items of each model enqueueing would submit now. What has ended or runs is not among them. */
export async function submitsToCome(
  {
    config,
    clock,
    records,
    state,
    look,
  }: Pick<Connections, 'config' | 'clock' | 'records' | 'state'> & { look?: BatchLook },
  batch: string,
  items: AsyncIterable<NewItem>,
): Promise<Record<string, number>> {
  const recorded = await recordedIds(records.list(batch));
  // Where Redis knows the items, hardly any record has to be read.
  const seen = (await state.counts(batch)) ? undefined : await look?.seen();
  const byModel: Record<string, number> = {};
  for await (const some of chunksOf(settled(batch, items, recorded, state.intake.states), CHUNK)) {
    const planned = await stepsOf(batch, some, {
      now: clock.now,
      records,
      recorded,
      states: state.intake.states,
      settings: config,
      ...(seen && { archived: seen }),
    });
    for (const { item, step, record } of planned) {
      if (step.job !== 'submit') continue;
      if (item.adopts && (await formerImage(records, batch, item.adopts))) continue;
      const kind = kindOfSubmit(item, record);
      byModel[kind] = (byModel[kind] ?? 0) + 1;
    }
  }
  return byModel;
}
