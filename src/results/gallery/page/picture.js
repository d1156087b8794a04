import { h, icon } from './dom.js';
import { failureName, spokenName, stateName } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

/**
 * An item's picture at full size, or a text in its place.
 *
 * @param {GalleryItem} item
 */
export function pictureOf(item) {
  return item.picture ? fullSize(item, item.picture) : placeholder(item);
}

/**
 * Shows the thumbnail until the picture itself is loaded.
 *
 * @param {GalleryItem} item
 * @param {import('../gallery-data.ts').Picture} picture
 */
function fullSize(item, { image, thumb, width, height }) {
  const element = h('img', { src: image, width, height, alt: `${spokenName(item)}. ${item.prompt.slice(0, 300)}` });
  if (!element.complete) element.style.backgroundImage = `url("${thumb}")`;
  element.addEventListener('load', () => {
    element.style.backgroundImage = '';
  });
  element.addEventListener('error', () => element.replaceWith(missing()));
  return element;
}

function missing() {
  return h('p', { class: 'nothing' }, icon('warning'), 'The picture is not beside this page.');
}

/** @param {GalleryItem} item */
function placeholder(item) {
  const text = item.failure ? failureName(item.failure.class) : stateName(item);
  return h('p', { class: `nothing ${item.state}` }, icon(item.failure ? 'warning' : 'clock'), text);
}

/** @param {GalleryItem | undefined} item */
export function preload(item) {
  if (item?.picture) new Image().src = item.picture.image;
}
