import { slug } from '../items/item-id.ts';
import type { ItemRecord } from '../items/record.ts';

type Archived = Extract<ItemRecord, { state: 'archived' }>;

/** As in the archive: `images/hero-1a2b3c4d5e6f.png`. */
export function namedById(record: Archived): string {
  return `images/${record.id}.${extensionOf(record)}`;
}

/**
 * For people: `hero-1.png`, the name and the variant. Of items that come to the same name, which a changed prompt makes, the
 * first by id has it and the others have their ids.
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
  return contentType === 'image/png' ? 'png' : 'jpg';
}
