import { slug } from '../items/item-id.ts';
import type { ItemRecord } from '../items/record.ts';

type Archived = Extract<ItemRecord, { state: 'archived' }>;

/** Names as in the archive: `images/hero-1a2b3c4d5e6f.png`. */
export function namedById(record: Archived): string {
  return `images/${record.id}.${extensionOf(record)}`;
}

/**
 * Names for people: `hero-1.png`, from the name and the variant. Two items can get the same name, for example after a
 * prompt was changed. Then the first by id has it, and the others are named by their ids.
 */
export function namedForPeople(): (record: Archived) => string {
  const taken = new Set<string>();
  return (record) => {
    const short = `${slug(record.name)}-${record.variant}`;
    const name = taken.has(short) ? record.id : short;
    taken.add(name);
    return `${name}.${extensionOf(record)}`;
  };
}

function extensionOf({ contentType }: Archived): string {
  return contentType === 'image/jpeg' ? 'jpg' : contentType.replace('image/', '');
}
