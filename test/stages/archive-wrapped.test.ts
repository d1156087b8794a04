import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { FluxError } from '../../src/errors.ts';
import type { DownloadOutcome } from '../../src/provider/download.ts';
import { archive } from '../../src/stages/archive.ts';
import type { Remembered } from '../../src/stages/remembered.ts';
import { finishedRig, item, told } from './finished.ts';

const sha256Of = (body: Buffer) => createHash('sha256').update(body).digest('hex');
const KEY = `${item.batch}/refused/${item.id}.bin`;
type Opened = Awaited<ReturnType<typeof finishedRig>>;

/** Runs the stage until it is done. Returns what each run was told by the one before. */
async function runToEnd({ rig, finished }: Opened, ports = rig.ports): Promise<Remembered[]> {
  const history: Remembered[] = [{}];
  for (;;) {
    const remembered = history.at(-1) ?? {};
    const outcome = await archive(finished, told(remembered), ports);
    if (outcome.kind === 'done') return history;
    history.push(outcome.remember ?? remembered);
  }
}

describe('a whole image', () => {
  test('in another format is archived as what it is, with a note in record, log and Redis', async () => {
    const opened = await finishedRig();
    opened.fault('image-webp');
    await runToEnd(opened);
    const record = await opened.rig.recordOf(item);
    const note = 'asked for png, came as webp';
    expect(record).toMatchObject({
      state: 'archived',
      image: `${item.batch}/images/${item.id}.webp`,
      contentType: 'image/webp',
      imageNote: note,
    });
    expect(await opened.rig.state.notes(item.batch)).toEqual(new Map([[item.id, note]]));
  });

  test('that cannot carry its prompt says so', async () => {
    const opened = await finishedRig({ settings: { embed: true } });
    opened.fault('image-webp');
    await runToEnd(opened);
    expect(await opened.rig.recordOf(item)).toMatchObject({
      imageNote: 'asked for png, came as webp; prompt and ids are not embedded in webp',
    });
  });

  test('as it was asked for has no note', async () => {
    const opened = await finishedRig();
    await runToEnd(opened);
    expect(await opened.rig.recordOf(item)).not.toHaveProperty('imageNote');
    expect(await opened.rig.state.notes(item.batch)).toEqual(new Map());
  });
});

describe('what is no whole image', () => {
  test('is kept once each source gave the same twice, and not downloaded a third time', async () => {
    const opened = await finishedRig();
    opened.fault('image-row-bomb');
    await runToEnd(opened);
    const record = await opened.rig.recordOf(item);
    const kept = (await opened.rig.archive.read(KEY)) ?? Buffer.alloc(0);
    const reason = expect.stringContaining('pixels');
    expect(record).toMatchObject({
      state: 'failed',
      failure: { class: 'invalid-image', message: reason },
      refused: { key: KEY, reason, sha256: sha256Of(kept), bytes: kept.length },
    });
    expect(opened.rig.simulator.ledger().downloads).toMatchObject({ origin: 2, stored: 2, link: 2 });
  });

  test('is asked for three times where it is another each time', async () => {
    const opened = await finishedRig();
    let downloads = 0;
    const download = async (): Promise<DownloadOutcome> => {
      downloads += 1;
      return { kind: 'body', body: Buffer.from(`not an image, ${downloads}`), contentType: 'image/png' };
    };
    await runToEnd(opened, { ...opened.rig.ports, download });
    expect(downloads).toBe(9);
    expect(await opened.rig.recordOf(item)).toMatchObject({ state: 'failed', refused: { key: KEY } });
  });

  test('does not end the item while another source may have it', async () => {
    const opened = await finishedRig();
    const { rig, finished } = opened;
    const download: typeof rig.ports.download = async (url, options) =>
      url === finished.originUrl ? rig.ports.download(url, options) : { kind: 'broken', message: 'HTTP 500' };
    opened.fault('image-row-bomb');
    let remembered: Remembered = {};
    for (let run = 1; run <= 6; run++) {
      const outcome = await archive(finished, told(remembered), { ...rig.ports, download });
      if (outcome.kind === 'done') throw new Error(`Given up in run ${run}`);
      remembered = outcome.remember ?? remembered;
    }
    expect(rig.simulator.ledger().downloads.origin).toBe(2);
    opened.fault();
    await archive(finished, told(remembered), rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'archived', source: 'stored' });
  });

  test('is kept with the sources that do not have it any more', async () => {
    const opened = await finishedRig();
    opened.fault('image-row-bomb', 'stored-dead');
    await runToEnd(opened);
    expect(await opened.rig.recordOf(item)).toMatchObject({
      state: 'failed',
      failure: { class: 'invalid-image' },
      refused: { key: KEY },
    });
  });

  test('and over 48 MB is kept too, stored as it comes', async () => {
    const opened = await finishedRig();
    opened.fault('image-huge');
    await runToEnd(opened);
    const kept = (await opened.rig.archive.read(KEY)) ?? Buffer.alloc(0);
    expect(kept.length).toBeGreaterThan(49 * 2 ** 20);
    const reason = 'a body over 50331648 bytes';
    expect(await opened.rig.recordOf(item)).toMatchObject({
      state: 'failed',
      failure: { class: 'invalid-image', message: expect.stringContaining(reason) },
      refused: { key: KEY, reason, bytes: kept.length, sha256: sha256Of(kept) },
    });
    expect(opened.rig.simulator.ledger().downloads).toMatchObject({ origin: 3, stored: 2, link: 2 });
  });

  test('and over 48 MB is not lost to an archive that does not take it just then', async () => {
    const opened = await finishedRig();
    opened.fault('image-huge');
    const { archive: stored, ...ports } = opened.rig.ports;
    let refusals = 1;
    const begin: typeof stored.begin = async (key, options) => {
      const pending = await stored.begin(key, options);
      const append: typeof pending.append = async (part) => {
        if (refusals-- > 0) throw new FluxError('archive-unreachable', 'away');
        return pending.append(part);
      };
      return { ...pending, append };
    };
    const refusing = { ...ports, archive: { ...stored, begin } };
    await expect(runToEnd(opened, refusing)).rejects.toMatchObject({ code: 'archive-unreachable' });
    await runToEnd(opened, refusing);
    expect(await opened.rig.recordOf(item)).toMatchObject({ state: 'failed', refused: { key: KEY } });
  });
});

describe('an image whose decoding ends the process', () => {
  test('is noted before it is decoded, and not any more after that', async () => {
    const { rig, finished } = await finishedRig();
    const noted: (number | undefined)[] = [];
    const run = { ...told({ decodes: 1 }), note: async ({ decodes }: Remembered) => void noted.push(decodes) };
    await archive(finished, run, rig.ports);
    expect(noted).toEqual([2, 0]);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'archived' });
  });

  test('is suspected where the run before did not end, and where none broke nothing is noted', async () => {
    const noted: (number | undefined)[] = [];
    const run = { ...told({}), note: async ({ decodes }: Remembered) => void noted.push(decodes) };
    const first = await finishedRig();
    await archive(first.finished, run, first.rig.ports);
    expect(noted).toEqual([]);
    const second = await finishedRig();
    await archive(second.finished, { ...run, broken: 1 }, second.rig.ports);
    expect(noted).toEqual([2, 0]);
  });

  test('is archived all the same where Redis does not take the note', async () => {
    const { rig, finished } = await finishedRig();
    const run = { ...told({}), broken: 1, note: () => Promise.reject(new Error('away')) };
    await archive(finished, run, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'archived' });
  });

  test('three times is kept, and not decoded again', async () => {
    const { rig, finished } = await finishedRig();
    await archive(finished, told({ decodes: 3 }), rig.ports);
    const kept = (await rig.archive.read(KEY)) ?? Buffer.alloc(0);
    expect((await sharp(kept).metadata()).format).toBe('png');
    const reason = 'Decoding it ended its process 3 times';
    expect(await rig.recordOf(item)).toMatchObject({
      state: 'failed',
      failure: { class: 'invalid-image', message: `origin: ${reason}` },
      refused: { key: KEY, reason, bytes: kept.length, sha256: sha256Of(kept) },
    });
  });
});
