import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { NewItem } from '../../src/items/item.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { ManifestError } from '../../src/manifest/problems.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Writes files into a folder of the running test and answers its path. */
export async function written(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'manifest-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** All items of `jobs.yaml` among the files. */
export async function itemsOf(files: Files): Promise<NewItem[]> {
  const { manifest } = await openManifest(join(await written(files), 'jobs.yaml'));
  return collected(expand(manifest));
}

/** `Array.fromAsync`, which Node 20 does not have. */
export async function collected<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of source) all.push(each);
  return all;
}

/** The lines that tell what is wrong with `jobs.yaml` among the files, the folder cut off. */
export async function mistakesOf(files: Files): Promise<string[]> {
  const folder = await written(files);
  try {
    await openManifest(join(folder, 'jobs.yaml'));
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.message.replaceAll(`${folder}/`, '').split('\n').slice(1);
  }
}
