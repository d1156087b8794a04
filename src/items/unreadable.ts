import type { ItemRecord } from './record.ts';

/** What stands in the place of an item's record and is none: cut off, edited, another item's. It is told of and never written over. */
export type Unreadable = {
  state: 'unreadable';
  batch: string;
  id: string;
  key: string;
  /** Names the file, and says what is wrong. */
  message: string;
  /** Where the text still names one. */
  taskId?: string;
};

/** What an archive has for an item. */
export type Found = ItemRecord | Unreadable;

export function isReadable(found: Found): found is ItemRecord {
  return found.state !== 'unreadable';
}
