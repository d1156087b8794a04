import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isOdd } from './drop-names.ts';
import { refused } from './mistake.ts';

const PEEKED_BYTES = 64 * 1024;
const MANIFEST_NAMES = /^(jobs|manifest|batch)\.(ya?ml|json)$/i;

/**
 * The manifest of a folder: the one file of YAML or JSON that names a batch, at the top of the folder or of the one folder in it, as
 * programs that zip a folder write it. Throws a `DropRefused`.
 */
export async function findManifest(folder: string, drop: string): Promise<string> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !isOdd(name));
  const [only] = entries;
  if (entries.length === 1 && only?.isDirectory()) return findManifest(join(folder, only.name), drop);
  const texts = entries
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name))
    .map(({ name }) => name);
  const named: string[] = [];
  for (const name of texts.sort()) if (await namesBatch(join(folder, name))) named.push(name);
  const candidates = named.length > 0 ? named : texts.filter((name) => /\.ya?ml$/i.test(name));
  const chosen = candidates.length === 1 ? candidates : candidates.filter((name) => MANIFEST_NAMES.test(name));
  const [manifest] = chosen;
  if (chosen.length === 1 && manifest !== undefined) return join(folder, manifest);
  if (candidates.length === 0) {
    throw refused(
      drop,
      'there is no manifest in it',
      'put a YAML file with batch and jobs at its top: flux-batch init writes one',
    );
  }
  throw refused(
    drop,
    `expected one manifest, found ${candidates.join(', ')}`,
    'name the one that is meant jobs.yaml, or drop each by itself',
  );
}

async function namesBatch(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PEEKED_BYTES), 0, PEEKED_BYTES, 0);
    return /(^|[{,]\s*)"?batch"?\s*:/m.test(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}
