import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArchiverInput, ArchiverResult } from './archiver.ts';
import type { Bench } from './bench.ts';
import { startMember } from './children.ts';
import type { PictureProvider } from './picture-provider.ts';

/** What images take in memory on their way. */
export const archiveMemoryBench: Bench = {
  name: 'archive-memory',
  async run({ quick }) {
    const large = await copy({ bytes: 32_600_000, images: quick ? 32 : 96, atOnce: 16 });
    const many = await copy({ bytes: 2_000_000, images: quick ? 200 : 1_000, atOnce: 8 });
    const peak = Math.max(...large);
    const from = Math.max(...many.slice(0, 100));
    const growth = Math.max(...many.slice(100)) - from;
    const rows = [
      {
        what: 'archive memory, images of 32 MB, 16 at once',
        target: '≤ 1 GB RSS',
        measured: `${Math.round(peak)} MB`,
        met: peak <= 1_024,
      },
      {
        what: `archive memory over ${many.length} images of 2 MB`,
        target: '≤ 200 MB from the 100th',
        measured: `${growth > 0 ? '+' : ''}${Math.round(growth)} MB from ${Math.round(from)} MB`,
        met: growth <= 200,
      },
    ];
    return { rows, data: { large, many: many.filter((_, index) => index % 20 === 0) } };
  },
};

async function copy({ bytes, images, atOnce }: { bytes: number; images: number; atOnce: number }): Promise<number[]> {
  const source = await startMember('picture-provider', { format: 'png', bytes, listed: 1 });
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
  const input: ArchiverInput = {
    archive: { url: folder },
    sourceUrl: (source.ready as PictureProvider).url,
    format: 'png',
    images,
    atOnce,
    verify: true,
    thumbnails: true,
  };
  try {
    const member = await startMember<ArchiverResult>('archiver', input);
    return (await member.stop()).rssMb;
  } finally {
    await source.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
