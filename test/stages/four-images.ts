import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { imagesOf } from '../../src/items/images.ts';
import type { Item } from '../../src/items/item.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { kieJobs } from '../../src/provider/kie-jobs/kie-jobs.ts';
import { loadModels } from '../../src/provider/models/load-models.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { archive } from '../../src/stages/archive.ts';
import { poll } from '../../src/stages/poll.ts';
import type { Remembered } from '../../src/stages/remembered.ts';
import { submit } from '../../src/stages/submit.ts';
import { told } from './finished.ts';
import { FIRST_RUN, itemNamed, openRig } from './rig.ts';

const MODEL = 'bytedance/seedream-v4-text-to-image';

function itemOfFour(name: string): Item {
  const request = { provider: 'kie-jobs' as const, prompt: `A ${name}`, model: MODEL, parameters: { max_images: 4 } };
  return itemNamed(name, { request });
}

/** An item whose task has made four images, as the archive stage gets it. */
export async function fourMade(...faults: readonly Fault[]) {
  const rig = await openRig();
  const item = itemOfFour('lighthouse');
  const provider = kieJobs({
    ...{ apiUrl: rig.simulator.url, apiKey: rig.simulator.apiKey, userAgent: 'flux-batch/0.0.0-test' },
    ...{ connectTimeoutMs: 5_000, submitTimeoutMs: 10_000, pollTimeoutMs: 10_000, connections: 4 },
    models: (await loadModels())['kie-jobs'],
  });
  onTestFinished(() => provider.close());
  const notes: string[] = [];
  const tellNote = async (_: unknown, note: string) => void notes.push(note);
  const ports = { ...rig.ports, provider, state: Object.assign(Object.create(rig.state), { ...rig.state, tellNote }) };
  await rig.admit(item);
  await submit(item, FIRST_RUN, ports);
  const task = rig.jobs.polls.get(item.id)?.data;
  if (!task) throw new Error('Expected a poll job');
  await rig.untilEnded(task.taskId);
  await poll(task, FIRST_RUN, ports);
  const finished = rig.jobs.archives.get(item.id)?.data;
  if (!finished) throw new Error('Expected an archive job');
  rig.simulator.setFaults(faults);
  return { rig, item, finished, ports, notes };
}

export type Made = Awaited<ReturnType<typeof fourMade>>;

/** Runs the stage until it is done, each run told what the one before remembers. */
export async function untilDone({ finished }: Made, ports: Made['ports'], remembered: Remembered = {}) {
  let known = remembered;
  for (let count = 1; count <= 10; count++) {
    const outcome = await archive(finished, told(known), ports);
    if (outcome.kind === 'done') return;
    known = outcome.remember ?? known;
  }
  throw new Error('Expected it to be done');
}

export async function archivedRecord({ rig, item }: Made) {
  const record = await rig.recordOf(item);
  if (record?.state !== 'archived') throw new Error(`Expected it to be archived, got ${JSON.stringify(record)}`);
  return record;
}

/** By the provider: of each image how often it was fetched, and what it was. */
export const servedBy = ({ rig }: Made) => rig.simulator.ledger().taskLog[0]?.images ?? [];

export async function storedSums({ rig }: Made, record: Extract<ItemRecord, { state: 'archived' }>) {
  const bodies = await Promise.all(imagesOf(record).map(({ image }) => rig.archive.read(image)));
  return bodies.map((body) => body && createHash('sha256').update(body).digest('hex'));
}

/** The ports of somebody for whom these images are gone, by whatever URL. */
export function without({ ports, finished }: Made, ...numbers: readonly number[]): Made['ports'] {
  const urls = [finished.storedUrl, ...(finished.more ?? []).map(({ sources: [source] }) => source?.url)];
  const dead = numbers.map((number) => /stored\/([0-9a-f]+)/.exec(urls[number - 1] ?? '')?.[1] ?? 'none');
  const download: Made['ports']['download'] = async (url, options) =>
    dead.some((token) => url.includes(token)) ? { kind: 'gone', status: 404 } : ports.download(url, options);
  return { ...ports, download };
}
