/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

export const STATE_NAMES = {
  archived: 'Archived',
  failed: 'Failed',
  held: 'Held',
  submitted: 'Running',
  claimed: 'Sent',
  queued: 'Queued',
  cancelled: 'Cancelled',
  unreadable: 'Unreadable',
};

/** @type {Record<string, string>} */
const FAILURE_NAMES = {
  'content-policy': 'Refused by the content policy',
  'invalid-parameters': 'Parameters refused',
  'feature-disabled': 'Feature disabled',
  'generation-failed': 'Generation failed',
  'unknown-outcome': 'Outcome unknown',
  'unknown-task': 'Task unknown to the provider',
  'poll-timeout': 'No answer in time',
  expired: 'Image expired',
  'invalid-image': 'Not a valid image',
  unreachable: 'Image unreachable',
  cancelled: 'Cancelled',
  internal: 'Internal error',
  'record-corrupt': 'Record cannot be read',
};

/**
 * @param {string} kind
 * @returns {string}
 */
export function failureName(kind) {
  return FAILURE_NAMES[kind] ?? kind;
}

/**
 * @param {GalleryItem} item
 * @returns {string}
 */
export function stateName(item) {
  return STATE_NAMES[item.state];
}

/**
 * `Variant 1`, and of several images of one task `Variant 1, image 2 of 4`.
 *
 * @param {GalleryItem} item
 */
export function variantName({ variant, number, of }) {
  return `Variant ${variant}${number === undefined ? '' : `, image ${number} of ${of}`}`;
}

/**
 * What a screen reader reads for a tile.
 *
 * @param {GalleryItem} item
 */
export function spokenName(item) {
  const version = item.former ? ', former version' : '';
  const end = item.failure ? `${stateName(item)}: ${failureName(item.failure.class)}` : stateName(item);
  return `${item.name}, ${variantName(item).toLowerCase()}${version}, ${end}`;
}

/**
 * `imageSize` or `image_size` → `Image size`
 *
 * @param {string} key
 */
export function labelOf(key) {
  const words = key
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {number} count */
export function count(count) {
  return count.toLocaleString('en-US');
}

/**
 * @param {number} number
 * @param {string} one
 */
export function plural(number, one) {
  return `${count(number)} ${one}${number === 1 ? '' : 's'}`;
}

/** @param {number} bytes */
export function bytesText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${['B', 'KB', 'MB', 'GB', 'TB'][power]}`;
}

/** @param {number} ms */
export function durationText(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}

/** @param {string} iso */
export function timeText(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** @param {string} iso */
export function dateText(iso) {
  return new Date(iso).toLocaleDateString(undefined, { dateStyle: 'long' });
}
