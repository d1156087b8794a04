import { expect, test } from 'vitest';
import { bytesOf, imagesOf } from '../../src/items/images.ts';
import { archive } from '../../src/stages/archive.ts';
import type { Remembered } from '../../src/stages/remembered.ts';
import { told } from './finished.ts';
import { archivedRecord, fourMade, type Made, servedBy, storedSums, untilDone } from './four-images.ts';
import { BATCH, crashing, FIRST_RUN } from './rig.ts';

test('all images of a task are archived, each with the bytes that the provider served, and one task is paid for', async () => {
  const made = await fourMade();
  await untilDone(made, made.ports);
  const record = await archivedRecord(made);
  const folder = `${BATCH}/images/lighthouse-0123456789ab`;
  expect(imagesOf(record).map(({ image, number }) => [number, image])).toEqual([
    [1, `${folder}.png`],
    [2, `${folder}_2.png`],
    [3, `${folder}_3.png`],
    [4, `${folder}_4.png`],
  ]);
  const served = servedBy(made).map(({ sha256 }) => sha256);
  expect(new Set(served).size).toBe(4);
  expect(await storedSums(made, record)).toEqual(served);
  expect(imagesOf(record).map(({ sha256 }) => sha256)).toEqual(served);
  for (const { thumb } of imagesOf(record)) expect(await made.rig.archive.read(thumb), thumb).toBeDefined();
  const { tasks, credits } = made.rig.simulator.ledger();
  expect([tasks.accepted, credits.charged]).toEqual([1, 20]);
  const counts = await made.rig.state.counts(BATCH);
  expect([counts?.items.archived, counts?.bytes]).toEqual([1, bytesOf(record)]);
});

test('a process that ends between two images leaves the others to the next run, which downloads what is not there', async () => {
  const made = await fourMade();
  let remembered: Remembered = {};
  const note = async (noted: Remembered) => {
    remembered = noted;
  };
  let writes = 0;
  const write: Made['ports']['archive']['write'] = (key, ...rest) => {
    writes += 1;
    if (key.includes('_3.png')) throw new Error('killed');
    return made.rig.archive.write(key, ...rest);
  };
  const dying = { ...made.ports, archive: { ...made.ports.archive, write } };
  await expect(archive(made.finished, { ...FIRST_RUN, note }, dying)).rejects.toThrow('killed');
  expect(writes).toBeGreaterThan(4);
  expect((await made.rig.recordOf(made.item))?.state).toBe('submitted');
  await untilDone(made, made.ports, remembered);
  expect(imagesOf(await archivedRecord(made))).toHaveLength(4);
  expect(servedBy(made).map(({ fetches }) => fetches)).toEqual([1, 1, 2, 1]);
});

test('where nothing is remembered, as after Redis was emptied, the same bytes are written under the same keys again', async () => {
  const made = await fourMade();
  const dying = { ...made.ports, records: crashing(made.ports.records, 'update', 'before') };
  await expect(archive(made.finished, FIRST_RUN, dying)).rejects.toThrow();
  await untilDone(made, made.ports);
  const record = await archivedRecord(made);
  expect(await storedSums(made, record)).toEqual(servedBy(made).map(({ sha256 }) => sha256));
  const keys: string[] = [];
  for await (const key of made.rig.archive.list(`${BATCH}/images/`)) keys.push(key);
  expect(keys).toHaveLength(4);
});

test('an image that is dead at all its sources is missed, the others are archived, and record and note say which', async () => {
  const made = await fourMade({ name: 'stored-dead', share: 1, image: 2 });
  await untilDone(made, made.ports);
  const record = await archivedRecord(made);
  expect(imagesOf(record).map(({ number }) => number)).toEqual([1, 3, 4]);
  expect(record.lost).toMatchObject([{ number: 2, failure: { class: 'expired' } }]);
  expect(made.notes).toEqual([expect.stringMatching(/^image 2 of 4 could not be had \(expired\): The image is gone/)]);
  expect(servedBy(made).map(({ fetches }) => fetches)).toEqual([1, 0, 1, 1]);
});

test('where the first image cannot be had the next one is the own image of the item', async () => {
  const made = await fourMade({ name: 'stored-dead', share: 1, image: 1 });
  await untilDone(made, made.ports);
  const record = await archivedRecord(made);
  expect(record.image).toBe(`${BATCH}/images/lighthouse-0123456789ab_2.png`);
  expect(imagesOf(record).map(({ number }) => number)).toEqual([2, 3, 4]);
  expect(record.lost).toMatchObject([{ number: 1 }]);
});

test('bytes that are no image are kept beside those of others, and the others are archived', async () => {
  const made = await fourMade({ name: 'image-short', share: 1, image: 3 }, { name: 'image-html', share: 1, image: 4 });
  let now = Date.now();
  const ports = { ...made.ports, now: () => now };
  let remembered: Remembered = {};
  for (let round = 1; round <= 40; round++) {
    const outcome = await archive(made.finished, told(remembered), ports);
    if (outcome.kind === 'done') break;
    remembered = outcome.remember ?? {};
    now = outcome.atMs + 3 * 60_000;
  }
  const record = await archivedRecord(made);
  expect(imagesOf(record).map(({ number }) => number)).toEqual([1, 2]);
  expect(record.lost).toMatchObject([
    {
      number: 3,
      failure: { class: 'invalid-image' },
      refused: { key: `${BATCH}/refused/lighthouse-0123456789ab_3.bin` },
    },
    { number: 4, failure: { class: 'invalid-image' } },
  ]);
  expect(servedBy(made).slice(0, 2)).toMatchObject([{ fetches: 1 }, { fetches: 1 }]);
});

test('an item of which no image can be had fails, with the words of all', async () => {
  const made = await fourMade({ name: 'stored-dead', share: 1 });
  await untilDone(made, made.ports);
  const record = await made.rig.recordOf(made.item);
  expect(record).toMatchObject({ state: 'failed', failure: { class: 'expired' } });
  expect(record).toHaveProperty(
    'failure.message',
    expect.stringMatching(/^None of 4 images could be had\. image 1: .*image 4: /),
  );
});

test('a place in the answer that has no URL is told of, and asked for nowhere', async () => {
  const made = await fourMade();
  const { more = [], ...first } = made.finished;
  const [second] = more;
  if (!second) throw new Error('Expected a second image');
  await untilDone({ ...made, finished: { ...first, more: [second, { sources: [] }] } }, made.ports);
  const record = await archivedRecord(made);
  expect(imagesOf(record).map(({ number }) => number)).toEqual([1, 2]);
  expect(record.lost).toMatchObject([{ number: 3, failure: { class: 'generation-failed' } }]);
});
