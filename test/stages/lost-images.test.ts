import { expect, test } from 'vitest';
import { imagesOf } from '../../src/items/images.ts';
import { askForLost } from '../../src/stages/lost-images.ts';
import { archivedRecord, fourMade, type Made, servedBy, storedSums, untilDone, without } from './four-images.ts';
import { BATCH, NEVER } from './rig.ts';

test('images that could not be had are asked for once more, at no cost, and what there is joins the others', async () => {
  const made = await fourMade();
  await untilDone(made, without(made, 1, 3));
  const before = await archivedRecord(made);
  expect(imagesOf(before).map(({ number }) => number)).toEqual([2, 4]);
  expect(await askForLost(before, NEVER, without(made, 3))).toMatchObject({
    ...{ found: 1, left: 1 },
    why: expect.stringMatching(/^image 3: .*404/),
  });
  const between = await archivedRecord(made);
  expect(imagesOf(between).map(({ number }) => number)).toEqual([1, 2, 4]);
  expect(made.notes.at(-1)).toMatch(/^image 3 of 4 could not be had/);
  expect(await askForLost(between, NEVER, made.ports)).toEqual({ found: 1, left: 0 });
  const record = await archivedRecord(made);
  expect(record).not.toHaveProperty('lost');
  const served = servedBy(made).map(({ sha256 }) => sha256);
  expect(await storedSums(made, record)).toEqual(served);
  expect(imagesOf(record).map(({ sha256 }) => sha256)).toEqual(served);
  expect(servedBy(made).map(({ fetches }) => fetches)).toEqual([1, 1, 1, 1]);
  expect([made.notes.at(-1), made.rig.tasks()]).toEqual(['', 1]);
});

test('an answer that names other images than it did adds none, since their numbers say nothing then', async () => {
  const made = await fourMade();
  await untilDone(made, without(made, 2));
  const record = await archivedRecord(made);
  const poll: Made['ports']['provider']['poll'] = async (...args) => {
    const outcome = await made.ports.provider.poll(...args);
    return outcome.kind === 'succeeded' ? { ...outcome, more: outcome.more?.slice(1) ?? [] } : outcome;
  };
  const asked = await askForLost(record, NEVER, { ...made.ports, provider: { ...made.ports.provider, poll } });
  expect(asked).toMatchObject({ found: 0, left: 1 });
  expect(await archivedRecord(made)).toEqual(record);
});

test('an item of which no image can be had fails by the first for which its task is asked again', async () => {
  const made = await fourMade();
  const ports = without(made, 1);
  const download: Made['ports']['download'] = async (url, options) => {
    const outcome = await ports.download(url, options);
    return outcome.kind === 'body' ? { ...outcome, body: Buffer.alloc(2_000, 7) } : outcome;
  };
  await untilDone(made, { ...ports, download });
  expect(await made.rig.recordOf(made.item)).toMatchObject({
    state: 'failed',
    failure: { class: 'invalid-image', message: expect.stringMatching(/image 1: .*gone.*image 2: /) },
    refused: { key: `${BATCH}/refused/lighthouse-0123456789ab_2.bin` },
  });
});
