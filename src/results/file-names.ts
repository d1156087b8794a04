import type { ItemRecord } from '../items/record.ts';
import type { Listed } from './standings.ts';

type Archived = Extract<ItemRecord, { state: 'archived' }>;

/** Names as in the archive: `images/hero-1a2b3c4d5e6f.png`. */
export function namedById(record: Archived): string {
  return `images/${record.id}.${extensionOf(record)}`;
}

/**
 * Names for people: `hero-1.png`, from the name and the variant, in letters of all scripts. What is not current has its id as
 * name, and so have later ones where two names come to the same: file systems may not tell `Hero` from `hero`.
 */
export function namedForPeople(): (record: Archived & Pick<Listed, 'standing'>) => string {
  const taken = new Set<string>();
  return (record) => {
    const short = `${fileName(record.name)}-${record.variant}`;
    const isFree = record.standing?.current !== false && !taken.has(short);
    const name = isFree ? short : record.id;
    taken.add(name);
    return `${name}.${extensionOf(record)}`;
  };
}

/** File systems take 255 bytes; the variant, an ending and a mark of 14 come behind it. */
const MOST_BYTES = 200;

/** Lower case, letters and digits of all scripts, `-` for all else. Never empty. With a variant behind it, no name that Windows reserves. */
function fileName(name: string): string {
  const words = name
    .normalize('NFC')
    .toLowerCase()
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^-/, '');
  let [text, bytes] = ['', 0];
  for (const letter of words) {
    bytes += Buffer.byteLength(letter);
    if (bytes > MOST_BYTES) break;
    text += letter;
  }
  return text.replace(/-$/, '') || 'item';
}

/** The name of a further image of an item, by that of its first: `hero-1.png` → `hero-1_2.jpg`. */
export function numbered(name: string, image: Pick<Archived, 'contentType'> & { number: number }): string {
  return `${name.slice(0, name.lastIndexOf('.'))}_${image.number}.${extensionOf(image)}`;
}

function extensionOf({ contentType }: Pick<Archived, 'contentType'>): string {
  return contentType === 'image/jpeg' ? 'jpg' : contentType.replace('image/', '');
}
