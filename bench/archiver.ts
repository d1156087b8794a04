import pLimit from 'p-limit';
import { verifyImage } from '../src/archive/image.ts';
import { openArchive } from '../src/archive/open.ts';
import type { S3Settings } from '../src/archive/s3-client.ts';
import { httpDownload } from '../src/provider/download.ts';
import { member } from './children.ts';
import { rssMb } from './measure.ts';

export type ArchiverInput = {
  archive: S3Settings;
  sourceUrl: string;
  format: 'jpeg' | 'png';
  images: number;
  atOnce: number;
  /** What is done besides copying. */
  verify: boolean;
  thumbnails: boolean;
};
export type ArchiverResult = { wallMs: number; cpuMs: number; rssMb: number[] };

/** What the archive stage does to an image: download it whole, verify it whole, put it whole. */
await member<ArchiverInput>(async (input) => {
  const archive = await openArchive(input.archive);
  await archive.prepare();
  const { host } = new URL(input.sourceUrl);
  const downloads = httpDownload({
    allow: [host],
    userAgent: 'bench',
    maxRedirects: 3,
    connectTimeoutMs: 10_000,
    headersTimeoutMs: 30_000,
    bodyTimeoutMs: 15_000,
    totalTimeoutMs: 120_000,
  });
  const rss: number[] = [];

  async function copy(index: number) {
    const name = `image-${String(index).padStart(5, '0')}.${input.format}`;
    const outcome = await downloads.download(`${input.sourceUrl}/dir/${name}`, { maxBytes: 32 * 1_024 * 1_024 });
    if (outcome.kind !== 'body') throw new Error(`download: ${outcome.kind}`);
    const { body } = outcome;
    let known: { sha256?: string } = {};
    if (input.verify) {
      const verified = await verifyImage(body);
      if (!verified.ok) throw new Error(verified.message);
      known = { sha256: verified.image.sha256 };
      if (input.thumbnails) {
        await archive.write(`bench/thumbs/${index}.webp`, verified.image.thumbnail, { contentType: 'image/webp' });
      }
    }
    await archive.write(`bench/images/${name}`, body, { contentType: `image/${input.format}`, ...known });
    rss.push(rssMb(process.pid));
  }

  return {
    async stop(): Promise<ArchiverResult> {
      const startedAt = performance.now();
      const cpuBefore = process.cpuUsage();
      const limit = pLimit(input.atOnce);
      await Promise.all(Array.from({ length: input.images }, (_, index) => limit(() => copy(index))));
      const { user, system } = process.cpuUsage(cpuBefore);
      const wallMs = performance.now() - startedAt;
      await downloads.close();
      await archive.close();
      return { wallMs, cpuMs: (user + system) / 1_000, rssMb: rss };
    },
  };
});
