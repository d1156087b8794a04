import { type BatchFile, type FoundBatchFile, updateBatchFile } from '../archive/batch-file.ts';
import { itemsFileWriter } from '../archive/items-file.ts';
import { readMembersOf } from '../archive/items-member.ts';
import { UsageError } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
import { budgetCredits } from '../money/budget.ts';
import type { Connections } from '../wiring/connections.ts';
import { type Archived, adoptImage } from './adopt.ts';
import type { BatchLook } from './batch-look.ts';
import { hasEnded } from './counts.ts';
import { type Enqueued, enqueueItems, type Manifest } from './enqueue-items.ts';
import { leaveToFeed } from './leave-to-feed.ts';
import { newBatchFile } from './new-batch-file.ts';
import { recountCharges } from './recount-charges.ts';
import type { RestorePorts } from './restore.ts';
import { inputStore } from './store-inputs.ts';

/** Takes a manifest into the queues, after making sure that its batch is not under way elsewhere. */
export async function enqueueManifest(
  connections: RestorePorts & Pick<Connections, 'control'> & { look?: BatchLook },
  manifest: Omit<Manifest, 'archive' | 'api'>,
  items: AsyncIterable<NewItem>,
  onProgress?: (enqueued: Enqueued) => void,
): Promise<Enqueued> {
  const { config, clock, archive, records, state, queues, spending, prices, control } = connections;
  const { onUnknown, pollGiveUpMs, storedTtlMs } = config;
  const budget = budgetCredits(config.budget, prices);
  const { batch, digest, isPart = false } = manifest;
  await refuseOtherRoute(connections, batch);
  const known = await state.counts(batch);
  let hadEnded = false;
  // Without totals: the batch has not ended since.
  const fileOf = (now: FoundBatchFile) => {
    if (now.kind === 'file' && now.file.totals !== undefined) hadEnded = true;
    const createdAt = now.kind === 'file' ? Date.parse(now.file.created) : (known?.createdAt ?? Date.now());
    const { manifest } = now.kind === 'file' ? now.file : {};
    return { ...newBatchFile(batch, { config, budget, prices, digest, createdAt }), ...(manifest && { manifest }) };
  };
  await updateBatchFile(archive, batch, fileOf);
  // Before any job: what was spent already counts against what may be spent.
  const seen = await recountCharges(connections, batch);
  await spending.setBudget(batch, budget);
  const file = itemsFileWriter(archive, batch);
  const { intake, feeds } = state;
  const feed = leaveToFeed(batch, config.feedWindow, known?.items.queued ?? 0, {
    feeds,
    read: readMembersOf(archive),
    states: intake.states,
  });
  const ports = {
    now: clock.now,
    records,
    intake,
    keepCharges: spending.keep,
    queues,
    adopt: (from: Archived, item: NewItem) => adoptImage({ archive, records }, from, item),
    feed,
    storeInputs: inputStore(archive, batch),
    note: file.add,
    noted: async () => {
      const stored = await file.commit();
      await updateBatchFile(archive, batch, (now) => withItems(fileOf(now), stored.name, { isPart, hadEnded }));
      await feed.commit(stored, isPart);
    },
    settings: { onUnknown, pollGiveUpMs, storedTtlMs },
  };
  const route = { archive: archive.url, api: config.apiUrl };
  const all = { ...(seen && { archived: seen }), ...manifest, ...route };
  const enqueued = await enqueueItems(all, items, ports, onProgress).finally(async () => {
    await file.close();
    await feed.end();
  });
  // When this is called again, Redis was emptied while its items were made: nothing of this look holds any more.
  await connections.look?.close();
  await control.wakeWithinBudget(batch);
  return enqueued;
}

/** A file of all items stands alone, one of a part beside those before it. Of an ended batch nothing waits. */
function withItems(file: BatchFile, name: string, how: { isPart: boolean; hadEnded: boolean }): BatchFile {
  const { items, isWhole, former = [] } = file.manifest ?? { items: [], isWhole: false };
  const before = how.hadEnded ? [] : [...new Set([...former, ...(how.isPart ? [] : items)])];
  const others = before.filter((other) => other !== name);
  const wanted = how.isPart
    ? { items: [...items.filter((other) => other !== name), name], isWhole }
    : { items: [name], isWhole: true };
  return { ...file, manifest: { ...wanted, ...(others.length > 0 && { former: others }) } };
}

/** Throws a UsageError (`archive-differs`, `api-differs`) while the batch is under way to another archive, or at another API. */
export async function refuseOtherRoute(
  { state, archive, config }: Pick<Connections, 'state' | 'archive' | 'config'>,
  batch: string,
): Promise<void> {
  const known = await state.counts(batch);
  if (!known || hasEnded(known)) return;
  const hint = 'Let it end first, set the same ARCHIVE_URL and FLUX_API_URL, or give the batch another name.';
  if (known.archive !== '' && known.archive !== archive.url) {
    const message = `The batch ${batch} is on its way to ${known.archive}, not to ${archive.url}`;
    throw new UsageError('archive-differs', message, { hint });
  }
  if (known.api !== '' && known.api !== config.apiUrl) {
    const message = `The batch ${batch} is under way at ${known.api}, not at ${config.apiUrl}`;
    throw new UsageError('api-differs', message, { hint });
  }
}
