import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { photo } from '../manifest/photo.ts';
import type { Place } from './place.ts';

const sha256Of = (body: Buffer) => createHash('sha256').update(body).digest('hex');

/** So many photos, all different, in a folder beside a manifest that edits each. Their digests. */
export async function photosIn(place: Place, count: number): Promise<string[]> {
  await mkdir(join(place.folder, 'photos'));
  const digests: string[] = [];
  for (let index = 0; index < count; index++) {
    const body = await photo(`hsl(${(index * 37) % 360} ${20 + (index % 60)}% 50%)`);
    digests.push(sha256Of(body));
    await writeFile(join(place.folder, `photos/p${index}.jpg`), body);
  }
  const jobs = `jobs: [{ id: "{{ name }}", prompt: "Put it on a table, {{ name }}", inputs: "photos/*.jpg" }]`;
  await place.write('edits.yaml', `version: 1\nbatch: edits\n${jobs}\n`);
  expect(new Set(digests).size).toBe(count);
  return digests;
}

/** Every picture that a task was started from came whole; by digest, how often. */
export function taken(place: Place): Record<string, number> {
  const { inputLog, inputs } = place.simulator.ledger();
  expect(inputs.missed).toBe(0);
  const times: Record<string, number> = {};
  for (const { sha256 } of inputLog) times[String(sha256)] = (times[String(sha256)] ?? 0) + 1;
  return times;
}
export const each = (digests: readonly string[], times = 1) =>
  Object.fromEntries(digests.map((digest) => [digest, times]));
