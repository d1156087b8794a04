import { expect } from 'vitest';
import { z } from 'zod';
import { startProcess } from './crew.ts';
import type { Cut } from './cut-records.ts';
import type { RowSeen } from './judge.ts';
import type { Stand } from './stand.ts';

const rowSchema = z.object({
  id: z.string(),
  state: z.string(),
  taskId: z.string().nullable(),
  failureMessage: z.string().nullable(),
});
const rescueSchema = z.object({
  unreadable: z.array(z.object({ id: z.string(), taskId: z.string().optional() })).default([]),
});

const command = (args: readonly string[], { environment, folder }: Stand) =>
  startProcess(args, { environment, cwd: folder }).ended;

/** What a person is told of each item. */
export async function rowsSeen(stand: Stand): Promise<ReadonlyMap<string, RowSeen>> {
  const { stdout, stderr } = await command(['results', stand.batch], stand);
  const lines = stdout.trim().split('\n');
  const rows = lines.map((line) => rowSchema.parse(JSON.parse(line)));
  expect(new Set(rows.map(({ id }) => id)), stderr).toEqual(new Set(stand.wanted.map(({ id }) => id)));
  return new Map(rows.map((row) => [row.id, row]));
}

/** `rescue` names each record that was cut off, and archives what can be had for the others. */
export async function rescue(stand: Stand, cuts: ReadonlyMap<string, Cut>): Promise<void> {
  const { status, stdout, stderr } = await command(['rescue', stand.batch, '--json'], stand);
  expect([0, 1], stderr).toContain(status);
  const { unreadable } = rescueSchema.parse(JSON.parse(stdout));
  expect(new Set(unreadable.map(({ id }) => id))).toEqual(new Set(cuts.keys()));
}
