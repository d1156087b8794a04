import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded } from '../src/batch/counts.ts';
import { enqueueManifest } from '../src/batch/enqueue.ts';
import { loadConfig, type Overrides } from '../src/config.ts';
import type { Item } from '../src/items/item.ts';
import { itemId } from '../src/items/item-id.ts';
import { connect } from '../src/wiring/connections.ts';

type NewItem = Omit<Item, 'queuedAt'>;

/** Items as a manifest would make them: some 500 bytes as a job. */
export async function* itemsOf(
  batch: string,
  count: number,
  outputFormat: 'png' | 'jpeg' = 'png',
): AsyncGenerator<NewItem> {
  for (let index = 0; index < count; index++) yield itemAt(batch, index, outputFormat);
}

export function itemAt(batch: string, index: number, outputFormat: 'png' | 'jpeg' = 'png'): NewItem {
  const name = `product-${index}`;
  const request = {
    prompt: `Product ${index} on a table of oak, soft light from the left, the wall behind it out of focus`,
    model: 'flux-kontext-pro',
    outputFormat,
    aspectRatio: '1:1',
    enableTranslation: false,
  } as const;
  return {
    batch,
    id: itemId(name, request, 1),
    name,
    variant: 1,
    priority: 0,
    variables: { sku: String(index) },
    request,
  };
}

export type BatchHandle = {
  /** Until every item is archived; throws when one failed. Milliseconds since the batch was enqueued. */
  ended(): Promise<void>;
  close(): Promise<void>;
};

/** Enqueues a batch as `flux-batch enqueue` does. */
export async function enqueueBatch(
  config: Overrides,
  batch: string,
  items: AsyncIterable<NewItem>,
): Promise<BatchHandle> {
  const connections = await connect(loadConfig(config), { patient: false, prove: false });
  const { state, closers } = connections;
  await enqueueManifest(connections, { batch, digest: batch }, items);
  return {
    async ended() {
      for (;;) {
        const counts = await state.counts(batch);
        if (counts && counts.items.failed + counts.items.held > 0) throw new Error(`failed: ${JSON.stringify(counts)}`);
        if (counts && hasEnded(counts)) return;
        await sleep(20);
      }
    },
    close: () => closers.closeAll(),
  };
}
