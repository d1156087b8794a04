import type { Archive } from '../../src/archive/archive.ts';

export async function listed(archive: Archive, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of archive.list(prefix)) keys.push(key);
  return keys;
}
