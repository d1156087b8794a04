import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { FluxError, messageOf } from '../errors.ts';
import { INPUT_TYPES, parseInputReference } from '../items/input-reference.ts';
import type { NewItem } from '../items/item.ts';

/** A file on this machine that an item starts from, by what its request calls it. */
export type InputFile = { path: string; reference: string };
export type WithInputs = { pictures?: readonly InputFile[] };

/** Each is held in memory. */
const AT_ONCE = 3;

/**
 * Stores pictures that a batch lacks, each once and for good: workers need the files no more. Whoever enqueues again reads none that is
 * stored. Throws the archive's errors, and a FluxError (`input-changed`) where a file is another than the manifest was checked with.
 */
export function inputStore(
  archive: Archive,
  batch: string,
): (items: readonly (NewItem & WithInputs)[]) => Promise<void> {
  let stored: Set<string> | undefined;

  async function keysThere(): Promise<Set<string>> {
    const keys = new Set<string>();
    for await (const key of archive.list(layout.inputs(batch))) keys.add(key);
    return keys;
  }

  return async (items) => {
    const wanted = new Map<string, string>();
    for (const { pictures = [] } of items) for (const { reference, path } of pictures) wanted.set(reference, path);
    if (wanted.size === 0) return;
    stored ??= await keysThere();
    const there = stored;
    const missing = [...wanted].filter(([reference]) => !there.has(layout.input(batch, reference)));
    const store = async ([reference, path]: [string, string]) => {
      const key = layout.input(batch, reference);
      const input = parseInputReference(reference);
      if (!input) throw new FluxError('internal', `Expected a reference to a picture, got ${reference}`);
      const body = await readFile(path).catch((cause: unknown) => {
        throw changed(path, messageOf(cause));
      });
      if (createHash('sha256').update(body).digest('hex') !== input.sha256)
        throw changed(path, 'it has other bytes now');
      await archive.create(key, body, { contentType: INPUT_TYPES[input.extension] });
      there.add(key);
    };
    await pMap(missing, store, { concurrency: AT_ONCE });
  };
}

/** The items without what only this machine knows. */
export function withoutFiles<T extends NewItem & WithInputs>(items: readonly T[]): Omit<T, 'pictures'>[] {
  return items.map(({ pictures: _, ...item }) => item);
}

function changed(path: string, why: string): FluxError {
  return new FluxError('input-changed', `${path} has changed since the manifest was checked: ${why}`, {
    hint: 'Run it again: nothing is paid twice.',
  });
}
