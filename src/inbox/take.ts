import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Drop } from '../archive/drops.ts';
import { OUTCOMES, type Outcome, takeName } from './drop-names.ts';
import { dropPlanSchema, mistakeSchema } from './report.ts';

/**
 * `drop.json`: that a drop was taken, and what was decided. It is created once, before anything is enqueued. Whoever finds it goes on
 * from there, however often a process was killed.
 */
export const takeSchema = z.object({
  version: z.literal(1),
  take: z.string(),
  /** Which drop: its name, and the versions of its files. */
  identity: z.string(),
  drop: z.string(),
  outcome: z.enum(OUTCOMES),
  at: z.iso.datetime(),
  plan: dropPlanSchema.nullable(),
  why: z.string().nullable(),
  mistakes: z.array(mistakeSchema),
  omitted: z.int(),
});
export type Take = z.infer<typeof takeSchema>;

/** The same for the same drop, whoever asks; another one when somebody puts it there again. */
export function identityOf({ name, isFolder, files }: Drop): string {
  const parts = files.map(({ path, version }) => [path, version]);
  return createHash('sha256')
    .update(JSON.stringify([name, isFolder, parts]))
    .digest('hex');
}

export const pathsOf = (outcome: Outcome, take: string) => ({
  folder: `${outcome}/${take}`,
  take: `${outcome}/${take}/drop.json`,
  report: `${outcome}/${take}/report.json`,
  text: `${outcome}/${take}/report.txt`,
  ended: `${outcome}/${take}/ended.json`,
});

type Read = (path: string) => Promise<Buffer | undefined>;

/**
 * The name of a drop's take, and what is recorded of it. Two drops of one time and batch get names that differ: the second one ends
 * in `-2`.
 */
export async function findTake(
  drop: Drop,
  about: string,
  read: Read,
): Promise<{ name: string; found: Take | undefined }> {
  const wanted = takeName(drop.changedMs, about);
  const identity = identityOf(drop);
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    const found = await readTake(name, read);
    if (found === undefined || found.identity === identity) return { name, found };
  }
}

/** The take that is recorded under a name, in the first of these places that has one. */
export async function readTake(
  name: string,
  read: Read,
  places: readonly Outcome[] = OUTCOMES,
): Promise<Take | undefined> {
  const bodies = await Promise.all(places.map((outcome) => read(pathsOf(outcome, name).take)));
  const body = bodies.find((one) => one !== undefined);
  return body && takeSchema.parse(JSON.parse(body.toString('utf8')));
}
