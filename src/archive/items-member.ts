import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from 'zod';
import { FluxError } from '../errors.ts';
import { itemSchema, type NewItem } from '../items/item.ts';
import { SUBMIT_WAYS } from '../items/submit-way.ts';
import type { Archive } from './archive.ts';
import { layout } from './layout.ts';

/** A multiple of 8: so the lines of a member are whole bytes of a bitmap. */
export const LINES_OF_MEMBER = 5_000;

/** A part of an items file that can be read by itself: so many bytes from an offset on. `priorities`: how many lines have which. */
export const memberSchema = z.object({
  from: z.int(),
  bytes: z.int(),
  lines: z.int(),
  priorities: z.record(z.string(), z.int()),
});
export type Member = z.infer<typeof memberSchema>;

/** As its file lists it. `ways`: where its items are to wait; absent where an older version wrote it. */
export const listedMemberSchema = memberSchema.extend({ ways: z.array(z.enum(SUBMIT_WAYS)).exactOptional() });
export type ListedMember = z.infer<typeof listedMemberSchema>;

const newItemSchema = itemSchema.omit({ batch: true, queuedAt: true }).strip();
const unpacked = promisify(gunzip);

/**
 * The items of one member, in their order. Throws the archive's errors, and a FluxError `items-file-lost` where the file is missing,
 * damaged or another one.
 */
export async function readMember(archive: Archive, batch: string, name: string, member: Member): Promise<NewItem[]> {
  const lost = (why: string, cause?: unknown) => itemsFileLost(archive, batch, name, why, cause);
  const part = await archive.readPart(layout.folder(batch) + name, member.from, member.bytes);
  if (!part) throw lost('is missing');
  let items: NewItem[];
  try {
    const lines = (await unpacked(part)).toString('utf8').trimEnd().split('\n');
    items = lines.map((line) => ({ batch, ...newItemSchema.parse(JSON.parse(line)) }));
  } catch (cause) {
    throw lost('cannot be read', cause);
  }
  if (items.length !== member.lines) throw lost(`has ${items.length} items where ${member.lines} were`);
  return items;
}

export function itemsFileLost(archive: Archive, batch: string, name: string, why: string, cause?: unknown): FluxError {
  return new FluxError('items-file-lost', `${layout.folder(batch)}${name} in ${archive.url} ${why}`, {
    hint: 'Enqueue the manifest again: that writes it anew.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whether it is of an items file that is missing, damaged or another one: its items are known by their manifest only. */
export const isItemsFileLost = (error: unknown): boolean =>
  error instanceof FluxError && error.code === 'items-file-lost';

/** The same of any batch in an archive. */
export type ReadMember = (batch: string, name: string, member: Member) => Promise<readonly NewItem[]>;

export function readMembersOf(archive: Archive): ReadMember {
  return (batch, name, member) => readMember(archive, batch, name, member);
}
