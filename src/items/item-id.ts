import { hash } from 'node:crypto';
import type { ImageRequest } from './item.ts';

const HASH_DIGITS = 12;
const MAX_SLUG = 48;

/**
 * `<slug of the name>-<12 hex of sha256(canonical request, variant)>`: the same request under the same name is the same
 * item wherever it stands in the manifest, a changed prompt is a new one. Lowercase ASCII letters, digits and `-` only,
 * so it is safe as a file name, an object key and a BullMQ job id (which may neither hold `:` nor look like an integer).
 *
 * Twelve digits, not eight: of a million items that share one slug, eight would make about 116 pairs collide, each a
 * silently lost image; twelve make 0.002.
 */
export function itemId(name: string, request: ImageRequest, variant: number): string {
  const digest = hash('sha256', `${canonical(request)}#${variant}`, 'hex');
  return `${slug(name)}-${digest.slice(0, HASH_DIGITS)}`;
}

/** ASCII, at most 48 characters, never empty: `Café Crème #2` → `cafe-creme-2`. */
export function slug(name: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    // Accents that NFKD split off are dropped. All else that is not ASCII separates words.
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-');
  return words.replace(/^-/, '').slice(0, MAX_SLUG).replace(/-$/, '') || 'item';
}

/** One text for one request, whatever the order of its keys. */
function canonical(request: ImageRequest): string {
  const sorted = Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(sorted));
}
