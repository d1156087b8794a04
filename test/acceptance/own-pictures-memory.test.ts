import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { photo } from '../manifest/photo.ts';
import { filesIn } from './archived.ts';
import { type Cli, until } from './cli.ts';
import { taken } from './photos.ts';
import { openPlace, type Place } from './place.ts';

const PHOTO_BYTES = 2_000_000;
const [FEW, MANY] = [20, 120];
/** What more photos may take in memory: they are 200 MB. Measured with 300: 10 to 34 MB. */
const SLACK_BYTES = 100_000_000;
const COMMENT_BYTES = 65_533;

/** A small picture with so much text in it that it is a large file; `mark` makes it another one. */
function large(picture: Buffer, mark: string): Buffer {
  const segments: Buffer[] = [];
  for (let left = PHOTO_BYTES - picture.length; left > 0; left -= COMMENT_BYTES) {
    const text = Buffer.alloc(Math.min(left, COMMENT_BYTES - 2), mark);
    const head = Buffer.from([0xff, 0xfe, 0, 0]);
    head.writeUInt16BE(text.length + 2, 2);
    segments.push(head, text);
  }
  return Buffer.concat([picture.subarray(0, 2), ...segments, picture.subarray(2)]);
}

/** The most that a process has had in memory, as Linux counts it, once it has ended. */
async function peakOf(cli: Cli, ends: () => Promise<void> = async () => {}): Promise<number> {
  let peak = 0;
  const look = async () => {
    const status = await readFile(`/proc/${cli.pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024);
  };
  const looking = setInterval(() => void look(), 20);
  try {
    await ends();
    await look();
    if (cli.isRunning()) cli.kill('SIGTERM');
    const { code, stderr } = await cli.exit();
    expect(code, stderr).toBe(0);
    return peak;
  } finally {
    clearInterval(looking);
  }
}

async function peaksWith(count: number, context: TestContext) {
  const place: Place = await openPlace(context, { simulator: { pollRate: { max: 1_000, windowMs: 1_000 } } });
  await mkdir(join(place.folder, 'photos'));
  const picture = await photo('teal');
  for (let at = 0; at < count; at++) await writeFile(join(place.folder, `photos/p${at}.jpg`), large(picture, `${at} `));
  await place.write(
    'edits.yaml',
    'version: 1\nbatch: edits\njobs: [{ prompt: "On a table, {{ name }}", inputs: photos }]\n',
  );
  const exited = (cli: Cli) => async () => void (await cli.exit());
  const [plan, enqueue] = [
    ['plan', 'edits.yaml'],
    ['enqueue', 'edits.yaml', '--yes'],
  ];
  const planning = place.start(plan);
  const planned = await peakOf(planning, exited(planning));
  const enqueueing = place.start(enqueue);
  const enqueued = await peakOf(enqueueing, exited(enqueueing));
  const worker = place.start(['worker']);
  const images = join(place.folder, 'archive/edits/images');
  const worked = await peakOf(worker, () =>
    until('all are archived', async () => (await filesIn(images)).length === count, { seen: worker.stderr }),
  );
  expect(Object.keys(taken(place))).toHaveLength(count);
  return { planned, enqueued, worked };
}

test.skipIf(process.platform !== 'linux')(
  'many photos take no more memory than a few, in what plans, enqueues and uploads them',
  async (context) => {
    const few = await peaksWith(FEW, context);
    const many = await peaksWith(MANY, context);
    for (const process of ['planned', 'enqueued', 'worked'] as const)
      expect(many[process], process).toBeLessThan(few[process] + SLACK_BYTES);
  },
);
