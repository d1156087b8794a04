import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { Drop, DropFile } from '../archive/drops.ts';
import { MAX_MANIFEST_BYTES } from '../manifest/include.ts';
import { isOdd, kindOf } from './drop-names.ts';
import { findManifest } from './find-manifest.ts';
import { type DropLimits, megabytes } from './limits.ts';
import { refused } from './mistake.ts';
import { unzip } from './unzip.ts';

/** Where a manifest lies that is to be read. `folder`: all that came with it. */
export type OpenedDrop = { folder: string; manifest: string };

const FETCHES_AT_ONCE = 8;

export type OpenPorts = { limits: DropLimits; fetch(file: DropFile, to: string): Promise<void> };

/**
 * Brings a drop into an empty folder of ours, where nobody changes it while it is read, and finds its manifest. What is too large is
 * not brought. Throws a `DropRefused`.
 */
export async function openDrop(drop: Drop, folder: string, { limits, fetch }: OpenPorts): Promise<OpenedDrop> {
  const kind = kindOf(drop);
  const [file] = drop.files;
  if (kind === 'folder') return openFolder(drop, folder, { limits, fetch });
  if (file === undefined) throw refused(drop.name, 'there is no such file');
  if (!file.isPlain) throw refused(drop.name, 'is a link or no regular file', 'drop the file itself');
  if (kind === 'other') throw noManifest(drop.name);
  const most = kind === 'zip' ? limits.bytes : MAX_MANIFEST_BYTES;
  if (file.bytes > most) throw refused(drop.name, `expected at most ${megabytes(most)}, got ${megabytes(file.bytes)}`);
  const there = join(folder, kind === 'zip' ? 'drop.zip' : drop.name);
  await fetch(file, there);
  return kind === 'zip' ? openZip(there, drop.name, { folder, limits }) : { folder, manifest: there };
}

/** The same of a zip that is on this machine already. */
export async function openZip(
  path: string,
  drop: string,
  { folder, limits }: { folder: string; limits: DropLimits },
): Promise<OpenedDrop> {
  const unzipped = join(folder, 'unzipped');
  await mkdir(unzipped, { mode: 0o700 });
  await unzip(path, unzipped, { drop, limits });
  return { folder: unzipped, manifest: await findManifest(unzipped, drop) };
}

async function openFolder(drop: Drop, folder: string, { limits, fetch }: OpenPorts): Promise<OpenedDrop> {
  const start = startOf(drop);
  const files = drop.files.filter(({ path }) => !path.slice(start).split('/').some(isOdd));
  if (drop.isCut) throw refused(drop.name, `expected at most ${limits.files.toLocaleString('en-US')} files`);
  const odd = files.find(({ isPlain }) => !isPlain);
  if (odd) throw refused(odd.path.slice(start), 'is a link or no regular file', 'drop the file itself');
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > limits.bytes)
    throw refused(drop.name, `expected at most ${megabytes(limits.bytes)}, got ${megabytes(bytes)}`);
  await pMap(files, (file) => fetch(file, join(folder, file.path.slice(start))), { concurrency: FETCHES_AT_ONCE });
  return { folder, manifest: await findManifest(folder, drop.name) };
}

/** Up to where the paths of its files are the way to the folder: it may lie in a folder of ours. */
function startOf({ name, files }: Drop): number {
  const path = files[0]?.path ?? '';
  return path.startsWith(`${name}/`) ? name.length + 1 : path.indexOf(`/${name}/`) + name.length + 2;
}

function noManifest(name: string) {
  const isTable = /\.(csv|tsv|xlsx|jsonl|ndjson|txt)$/i.test(name);
  return refused(
    name,
    'is not a manifest',
    isTable
      ? `put it into a folder or a zip with a manifest that names it; flux-batch init ${name} writes one`
      : 'drop a YAML manifest, or a folder or a zip with a manifest and its files',
  );
}
