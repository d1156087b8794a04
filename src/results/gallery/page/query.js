import { labelOf, STATE_NAMES } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */
/** @typedef {'name' | 'newest' | 'slowest'} Sort */
/** @typedef {{ text: string, chosen: Map<string, Set<string>>, sort: Sort }} Query */
/** @typedef {{ key: string, label: string, values: { value: string, label: string }[], having: number }} Facet */

/** A variable with more values than this has no menu; the search finds it. */
const MOST_VALUES = 100;

/** @returns {Query} */
export function emptyQuery() {
  return { text: '', chosen: new Map(), sort: 'name' };
}

/** @param {Query} query */
export function isEmpty(query) {
  return query.text.trim() === '' && query.chosen.size === 0;
}

/**
 * The items that match a query, sorted. By name they keep the given order (see `sortByName`).
 *
 * @param {readonly GalleryItem[]} items
 * @param {Query} query
 * @returns {GalleryItem[]}
 */
export function select(items, query) {
  const words = wordsOf(query.text);
  const chosen = [...query.chosen];
  const left = items.filter((item) => isChosen(item, chosen) && hasWords(item, words));
  return sorted(left, query.sort);
}

/**
 * The facets to filter by: state, version, model, and every variable with 2 to 100 values. First those that most items have,
 * then those with the fewest values.
 *
 * @param {readonly GalleryItem[]} items
 * @returns {Facet[]}
 */
export function facetsOf(items) {
  const keys = new Set(['state', 'version', 'model']);
  for (const item of items) for (const name in item.variables) keys.add(`variable ${name}`);
  const facets = [...keys].flatMap((key) => {
    const counts = countBy(items, key);
    if (counts.size < 2 || counts.size > MOST_VALUES) return [];
    const values = [...counts.keys()]
      .map((value) => ({ value, label: valueLabel(key, value) }))
      .sort((a, b) => collator.compare(a.label, b.label));
    const having = [...counts.values()].reduce((sum, count) => sum + count, 0);
    return [{ key, label: facetLabel(key), values, having }];
  });
  return facets.sort((a, b) => b.having - a.having || a.values.length - b.values.length);
}

/**
 * How many items each value of a facet would show, with the rest of the query applied.
 *
 * @param {readonly GalleryItem[]} items
 * @param {Query} query
 * @param {string} key
 * @returns {Map<string, number>}
 */
export function countsFor(items, query, key) {
  const others = new Map([...query.chosen].filter(([other]) => other !== key));
  return countBy(select(items, { text: query.text, chosen: others, sort: 'name' }), key);
}

/**
 * @param {readonly GalleryItem[]} items
 * @param {string} key
 */
function countBy(items, key) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const item of items) {
    const value = choiceOf(item, key);
    if (value === undefined) continue;
    counts.set(value, (counts.get(value) ?? 0) + 1);
    if (counts.size > MOST_VALUES) break;
  }
  return counts;
}

/**
 * The items of one name, by variant.
 *
 * @param {readonly GalleryItem[]} items
 * @param {string} name
 * @returns {GalleryItem[]}
 */
export function variantsOf(items, name) {
  return items.filter((item) => item.name === name).sort((a, b) => a.variant - b.variant);
}

/**
 * @param {string} key
 * @param {string} value
 */
export function valueLabel(key, value) {
  if (key === 'state') return Object.entries(STATE_NAMES).find(([state]) => state === value)?.[1] ?? value;
  if (key === 'version') return value === 'former' ? 'Former' : 'Current';
  return value === '' ? '(empty)' : value;
}

/** @param {string} key */
export function facetLabel(key) {
  return labelOf(key.replace(/^variable /, ''));
}

/**
 * Milliseconds from submit to completion at the provider. Undefined when one of the times is missing.
 *
 * @param {GalleryItem} item
 * @returns {number | undefined}
 */
export function generationMs({ times }) {
  if (times.submitted === undefined || times.completed === undefined) return undefined;
  return Date.parse(times.completed) - Date.parse(times.submitted);
}

const collator = new Intl.Collator('en', { numeric: true });

/**
 * @param {GalleryItem[]} items
 * @param {Sort} sort
 */
function sorted(items, sort) {
  if (sort === 'newest') {
    const last = (/** @type {GalleryItem} */ { times }) => times.archived ?? times.submitted ?? times.queued ?? '';
    return items.sort((a, b) => (last(a) < last(b) ? 1 : -1));
  }
  if (sort === 'slowest') return items.sort((a, b) => (generationMs(b) ?? -1) - (generationMs(a) ?? -1));
  return items;
}

/**
 * Sorts by name, with numbers in it as numbers, then by variant. Done once, since comparing names is slow.
 *
 * @param {GalleryItem[]} items
 */
export function sortByName(items) {
  return items.sort((a, b) => collator.compare(a.name, b.name) || a.variant - b.variant);
}

/**
 * @param {GalleryItem} item
 * @param {string} key
 * @returns {string | undefined}
 */
function choiceOf(item, key) {
  if (key === 'state') return item.state;
  if (key === 'version') return item.former ? 'former' : 'current';
  if (key === 'model') return item.model || undefined;
  const name = key.slice('variable '.length);
  return Object.hasOwn(item.variables, name) ? item.variables[name] : undefined;
}

/**
 * @param {GalleryItem} item
 * @param {readonly [string, Set<string>][]} chosen
 */
function isChosen(item, chosen) {
  return chosen.every(([key, values]) => values.has(choiceOf(item, key) ?? '\0'));
}

/**
 * @param {GalleryItem} item
 * @param {readonly string[]} words
 */
function hasWords(item, words) {
  if (words.length === 0) return true;
  const text = textOf(item);
  return words.every((word) => text.includes(word));
}

/** @param {string} text */
function wordsOf(text) {
  return folded(text).split(/\s+/).filter(Boolean);
}

/** @type {WeakMap<GalleryItem, string>} */
const texts = new WeakMap();

/** @param {GalleryItem} item */
function textOf(item) {
  const known = texts.get(item);
  if (known !== undefined) return known;
  const { id, name, prompt, variables, taskId, failure } = item;
  const text = folded(
    [name, prompt, ...Object.values(variables), id, taskId ?? '', failure?.class ?? '', failure?.message ?? ''].join(
      '\n',
    ),
  );
  texts.set(item, text);
  return text;
}

/**
 * Removes case and accents, so that `cafe` finds `Café`.
 *
 * @param {string} text
 */
function folded(text) {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
}
