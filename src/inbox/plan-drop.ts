import { dirname } from 'node:path';
import { chunksOf } from '../batch/chunks-of.ts';
import { refuseOtherRoute } from '../batch/enqueue.ts';
import { lostItems } from '../batch/lost-items.ts';
import { submitsToCome } from '../batch/submits-to-come.ts';
import { UsageError } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
import { isLive } from '../items/item-state.ts';
import { expand, type Manifest, openManifest } from '../manifest/manifest.ts';
import { formatProblem } from '../manifest/problems.ts';
import { describeRepeats } from '../manifest/repeats.ts';
import { requirePrices } from '../money/budget.ts';
import { costOf, countOf } from '../money/estimate.ts';
import { describeDifference, isMuchMadeAgain, madeAgain } from '../plan/describe-difference.ts';
import { describeTime, isByRateAlone } from '../plan/describe-time.ts';
import { differenceOf } from '../plan/difference.ts';
import { timeOf } from '../plan/time.ts';
import type { Connections } from '../wiring/connections.ts';
import type { DropPlan } from './report.ts';
import { noteOfUnused, unusedFiles } from './unused-files.ts';

export type PlannedDrop = { manifest: Manifest; plan: DropPlan };

const SHOWN_PROMPTS = 5;
const LONGEST_PROMPT = 300;

/**
 * Reads a manifest and says what enqueueing it would do; spends and changes nothing. What lies beside it came with it. Throws what `openManifest` throws, and a
 * UsageError where the batch may not be enqueued here. `alone` is waited for once the batch is known: what follows holds only while
 * nobody else enqueues it.
 */
export async function planDrop(
  file: string,
  connections: Connections,
  alone: (batch: string) => Promise<void> = async () => {},
): Promise<PlannedDrop> {
  const { prices, config, records, state } = connections;
  const { manifest, totals } = await openManifest(file, {
    modelsFile: config.modelsFile,
    inputMaxBytes: config.inputs.maxBytes,
  });
  const { batch } = manifest;
  requirePrices(totals.byModel, prices, config);
  await alone(batch);
  if (totals.items === 0) throw new UsageError('manifest-empty', `${file} has no items`);
  await refuseOtherRoute(connections, batch);
  const items = () => expand(manifest);
  const lost = await lostItems(connections, batch, items());
  const byModel = await submitsToCome(connections, batch, notUnderWay(batch, items(), state.intake.states));
  const difference = await differenceOf(batch, items(), { records, isPart: false, states: state.intake.states });
  const toMake = countOf(byModel);
  const cost = costOf(byModel, prices);
  const time = timeOf(byModel, config.lanes);
  // Where several providers may make it, what it costs at the dearest: nobody is asked again when it goes there.
  const { credits, usd } = cost.atMost ?? cost;
  const plan = {
    batch,
    digest: manifest.digest,
    items: totals.items,
    toMake,
    credits: credits ?? null,
    usd: usd ?? null,
    pricesOf: prices.date,
    timeMs: time.ms ?? 0,
    ...(toMake > 0 && !isByRateAlone(time) && { time: describeTime(time) }),
    madeAgain: madeAgain(difference),
    recorded: difference.recorded,
    isMuchMadeAgain: isMuchMadeAgain(difference),
    difference: describeDifference(difference),
    lost: lost?.count ?? 0,
    first: await firstItems(items()),
    // By the names that files have in the drop: where it is read is nobody's business.
    notes: [
      ...noteOfUnused(await unusedFiles(dirname(file), [...manifest.files, ...manifest.pictures.paths()])),
      ...totals.notes,
      ...(totals.repeated.count > 0 ? [describeRepeats(totals.repeated)] : []),
      ...manifest.warnings.map(formatProblem),
    ].map((note) => note.replaceAll(`${dirname(file)}/`, '')),
  };
  return { manifest, plan };
}

async function firstItems(items: AsyncIterable<NewItem>): Promise<DropPlan['first']> {
  const first: DropPlan['first'] = [];
  for await (const { name, request } of items) {
    if (first.push({ name, prompt: request.prompt.slice(0, LONGEST_PROMPT) }) === SHOWN_PROMPTS) break;
  }
  return first;
}

type States = Connections['state']['intake']['states'];
const CHUNK = 1_000;

/** What is enqueued already was counted when it was. */
async function* notUnderWay(batch: string, items: AsyncIterable<NewItem>, states: States): AsyncGenerator<NewItem> {
  for await (const some of chunksOf(items, CHUNK)) {
    const ids = some.map(({ id }) => id);
    const found = await states(batch, ids);
    yield* some.filter((_, index) => {
      const state = found[index];
      return state === undefined || !isLive(state);
    });
  }
}
