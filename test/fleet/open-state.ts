import { redisBatchState } from '../../src/fleet/batch-state.ts';
import type { ItemState } from '../../src/items/item-state.ts';
import { ownRedis } from '../redis/connections.ts';

export const BATCH = 'spring';
export const FACTS = { archive: '/archive', api: 'http://127.0.0.1', digest: 'digest' };
export const item = (id: string) => ({ batch: BATCH, id });

/** A batch's state and how often its end was told. */
export async function openState() {
  const { keys, connection } = ownRedis();
  const ended: string[] = [];
  const redis = connection();
  const state = redisBatchState(redis, keys, async (batch) => {
    ended.push(batch);
  });
  await state.intake.open(BATCH, FACTS);
  const stateOf = async (id: string) => (await state.intake.states(BATCH, [id]))[0];
  const put = (id: string, to: ItemState) => state.intake.admit(BATCH, [{ id, was: undefined, to }]);
  const counts = async () => {
    const found = await state.counts(BATCH);
    if (!found) throw new Error('Expected the batch to be known');
    return found;
  };
  return { state, ended, stateOf, put, counts, redis, keys };
}
