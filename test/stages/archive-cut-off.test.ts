import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { archive } from '../../src/stages/archive.ts';
import type { Remembered } from '../../src/stages/remembered.ts';
import { finishedRig, item, told } from './finished.ts';

const KEY = `${item.batch}/refused/${item.id}.bin`;
type Opened = Awaited<ReturnType<typeof finishedRig>>;
type Ports = Opened['rig']['ports'];

/** Runs of the stage, each at the time that the one before asked for. Returns those times, in milliseconds since the first. */
async function runs({ finished, rig }: Opened, ports: Partial<Ports>, most: number): Promise<number[]> {
  const startedAt = Date.now();
  const times = [0];
  let remembered: Remembered = {};
  while (times.length <= most) {
    const now = startedAt + (times.at(-1) ?? 0);
    const outcome = await archive(finished, told(remembered), { ...rig.ports, ...ports, now: () => now });
    if (outcome.kind === 'done') break;
    remembered = outcome.remember ?? remembered;
    times.push(outcome.atMs - startedAt);
  }
  return times;
}

test('an image that came cut off at the same byte twice, while the other sources are gone, is archived when it comes whole', async () => {
  const opened = await finishedRig();
  opened.rig.simulator.setFaults([
    { name: 'stored-dead', share: 1 },
    { name: 'image-short', times: 2 },
  ]);
  expect(await runs(opened, {}, 5)).toHaveLength(3);
  expect(await opened.rig.recordOf(item)).toMatchObject({ state: 'archived', source: 'origin' });
});

test('what each source has cut off at the same byte is given up after five rounds in ten minutes, and its bytes are kept', async () => {
  const opened = await finishedRig();
  opened.fault('image-short');
  const finished = { ...opened.finished, originDiesAt: Date.now() + 86_400_000 };
  const times = await runs({ ...opened, finished }, {}, 20);
  expect(times.at(-1)).toBeGreaterThanOrEqual(600_000);
  expect(times.at(-1)).toBeLessThan(1_200_000);
  expect(times.length).toBeGreaterThanOrEqual(5);
  const each = times.length;
  expect(opened.rig.simulator.ledger().downloads).toMatchObject({ origin: each, stored: each, link: each });
  const kept = (await opened.rig.archive.read(KEY)) ?? Buffer.alloc(0);
  const sha256 = createHash('sha256').update(kept).digest('hex');
  expect(await opened.rig.recordOf(item)).toMatchObject({
    state: 'failed',
    failure: { class: 'invalid-image', message: expect.stringContaining('cut off') },
    refused: { key: KEY, reason: expect.stringContaining('cut off'), sha256, bytes: kept.length },
  });
});

test('an image that is cut off elsewhere each time is waited for, and asked for several times before its URL dies', async () => {
  const opened = await finishedRig();
  const png = await opened.rig.ports.download(opened.finished.originUrl ?? '', { maxBytes: 1e6 });
  if (png.kind !== 'body') throw new Error('Expected the image');
  let downloads = 0;
  const download: Ports['download'] = async () => {
    downloads += 1;
    return { ...png, body: png.body.subarray(0, png.body.length - 13 - downloads) };
  };
  const times = await runs(opened, { download }, 60);
  expect(times).toHaveLength(61);
  expect(await opened.rig.recordOf(item)).toMatchObject({ state: 'submitted' });
  const originDiesIn = opened.finished.originDiesAt - opened.finished.completedAt;
  expect(times.filter((time) => time < originDiesIn).length).toBeGreaterThanOrEqual(5);
});
