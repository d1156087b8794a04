import { hash } from 'node:crypto';
import type { ImageRequest } from './item.ts';
import { requestInOneForm, textInOneForm, withoutApiDefaults } from './one-form.ts';

const VERSION = '2';
const HASH_DIGITS = 12;
const MAX_SLUG = 48;

/**
 * `<slug of the name>-<12 hex of sha256("2", name, request, variant)>`: the same request under the same name is the same
 * item wherever it stands in the manifest, a changed prompt is a new one, and so is another name. Texts are in one form,
 * and a default of the API may be stated or not. Lowercase ASCII letters, digits and `-` only, so it is safe as a file
 * name, an object key and a BullMQ job id (which may neither hold `:` nor look like an integer).
 *
 * Twelve digits, not eight: of a million items that share one slug, eight would make about 116 pairs collide, each a
 * silently lost image; twelve make 0.002.
 *
 * `take`, from 2 on, is another image of the same.
 */
export function itemId(name: string, request: ImageRequest, variant: number, take = 1): string {
  const told = sorted(withoutApiDefaults(requestInOneForm(request)));
  const hashed = [VERSION, textInOneForm(name), told, variant, ...(take > 1 ? [take] : [])];
  return `${slug(name)}-${digits(JSON.stringify(hashed))}`;
}

/** The item's id of version 1, which knew neither the name nor one form of a request. */
export function formerItemId(name: string, request: ImageRequest, variant: number): string {
  return `${slug(name)}-${digits(`${JSON.stringify(sorted(request))}#${variant}`)}`;
}

/** The slug at the beginning of an id. */
export function slugOfId(id: string): string {
  return id.slice(0, -HASH_DIGITS - 1);
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

function digits(text: string): string {
  return hash('sha256', text, 'hex').slice(0, HASH_DIGITS);
}

/** One text for one request, whatever the order of its keys. */
function sorted({ parameters, ...request }: ImageRequest): Record<string, unknown> {
  const inOrder = (entries: object) => Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
  return inOrder(parameters === undefined ? request : { ...request, parameters: inOrder(parameters) });
}
