import { stat, statfs } from 'node:fs/promises';
import { parseArchiveUrl } from '../archive/url.ts';
import type { Config } from '../config.ts';
import { nearestThere } from '../files/nearest-folder.ts';
import { type Check, failed, ok, warning } from './check.ts';

/** An image has a megabyte or two, and its record, its thumbnail and the index come on top. */
const SHORT_BYTES = 2e9;
const TOO_FEW_BYTES = 100e6;
/** Three files for each image. Some file systems count none: they report 0 in all. */
const SHORT_FILES = 10_000;

/** Of each disk that we write to: the archive's, if it is a folder, and the private Redis'. */
export async function checkDisk(config: Config): Promise<Check[]> {
  const place = parseArchiveUrl(config.archiveUrl);
  const folders = [
    ...(place.kind === 'folder' ? [{ path: place.path, of: 'the archive' }] : []),
    ...(config.redisUrl === undefined ? [{ path: config.stateDir, of: 'the private Redis' }] : []),
  ];
  const disks = new Map<number, { of: string[]; there: string }>();
  for (const { path, of } of folders) {
    const there = await nearestThere(path);
    const { dev } = await stat(there);
    const disk = disks.get(dev);
    if (disk) disk.of.push(of);
    else disks.set(dev, { of: [of], there });
  }
  return Promise.all([...disks.values()].map(({ of, there }) => checkOne(of.join(' and '), there)));
}

async function checkOne(of: string, folder: string): Promise<Check> {
  const { bavail, bsize, files, ffree } = await statfs(folder);
  return judgeDisk(of, { freeBytes: bavail * bsize, freeFiles: files > 0 ? ffree : undefined });
}

export type Space = { freeBytes: number; freeFiles: number | undefined };

export function judgeDisk(of: string, { freeBytes, freeFiles }: Space): Check {
  const free = `${inGigabytes(freeBytes)} GB`;
  const remedy = 'Free some space, or name another disk by ARCHIVE_URL; --limit makes a part first.';
  if (freeBytes < TOO_FEW_BYTES) return failed('disk', `the disk of ${of} is full: ${free} free`, remedy);
  if (freeFiles !== undefined && freeFiles < SHORT_FILES) {
    return warning('disk', `the disk of ${of} takes only ${freeFiles.toLocaleString('en-US')} more files`, remedy);
  }
  if (freeBytes < SHORT_BYTES) return warning('disk', `the disk of ${of} has only ${free} free`, remedy);
  return ok('disk', `the disk of ${of} has ${free} free`);
}

function inGigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(bytes < 10e9 ? 1 : 0);
}
