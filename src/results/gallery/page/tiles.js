import { h, icon, userText } from './dom.js';
import { failureName, spokenName, stateName } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */
/** @typedef {import('./layout.js').Box} Box */

/** The height of the caption under a picture; grid.css has the same. */
export const CAPTION_PX = 30;

/**
 * The tiles that are in the document: only those near the screen, so that a large batch scrolls smoothly. Tab reaches one tile
 * only, the current one; arrow keys lead to the others ("roving tabindex").
 *
 * @param {HTMLElement} list
 * @param {{ onOpen: (item: GalleryItem) => void, hasVariants: (item: GalleryItem) => boolean }} options
 */
export function createTiles(list, { onOpen, hasVariants }) {
  /** @type {Map<number, HTMLLIElement>} */
  const tiles = new Map();
  let current = 0;

  const linkAt = (/** @type {number} */ index) => tiles.get(index)?.querySelector('a');

  /** @param {number} index */
  function setCurrent(index) {
    linkAt(current)?.setAttribute('tabindex', '-1');
    current = index;
    linkAt(current)?.setAttribute('tabindex', '0');
  }

  /**
   * @param {number} index
   * @param {GalleryItem} item
   * @param {number} total
   * @param {Box} box
   */
  function add(index, item, total, box) {
    const tile = placedTile(tileOf(item, hasVariants(item)), box);
    tile.setAttribute('aria-setsize', String(total));
    tile.setAttribute('aria-posinset', String(index + 1));
    const link = tile.querySelector('a');
    link?.setAttribute('tabindex', index === current ? '0' : '-1');
    link?.addEventListener('focus', () => setCurrent(index));
    link?.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onOpen(item);
    });
    // Tab and screen readers go by the order in the document, so it must be the order of the items.
    let after = index + 1;
    while (after < index + 200 && !tiles.has(after)) after++;
    list.insertBefore(tile, tiles.get(after) ?? null);
    tiles.set(index, tile);
  }

  return {
    /**
     * Adds the missing tiles from `first` to before `end`, and removes those outside.
     *
     * @param {readonly GalleryItem[]} items
     * @param {readonly Box[]} boxes
     * @param {{ first: number, end: number }} range
     */
    showRange(items, boxes, { first, end }) {
      for (const [index, tile] of tiles) {
        if (index >= first && index < end) continue;
        // Removing the tile that has the focus would lose the keyboard's place.
        if (tile.contains(document.activeElement)) continue;
        tile.remove();
        tiles.delete(index);
      }
      for (let index = first; index < end; index++) {
        const [item, box] = [items[index], boxes[index]];
        if (item && box && !tiles.has(index)) add(index, item, items.length, box);
      }
    },
    clear() {
      for (const tile of tiles.values()) tile.remove();
      tiles.clear();
    },
    linkAt,
    setCurrent,
    current: () => current,
  };
}

/**
 * @param {HTMLLIElement} tile
 * @param {Box} box
 */
function placedTile(tile, box) {
  Object.assign(tile.style, {
    transform: `translate(${box.left.toFixed(1)}px, ${box.top.toFixed(1)}px)`,
    width: `${box.width.toFixed(1)}px`,
    height: `${(box.height + CAPTION_PX).toFixed(1)}px`,
  });
  return tile;
}

/**
 * @param {GalleryItem} item
 * @param {boolean} hasVariants
 */
function tileOf(item, hasVariants) {
  const { picture } = item;
  const caption = h(
    'span',
    { class: 'caption' },
    h('bdi', { class: 'name' }, item.name),
    hasVariants &&
      h(
        'span',
        { class: 'variant' },
        item.number === undefined ? String(item.variant) : `${item.variant} · ${item.number}`,
      ),
    item.former && h('span', { class: 'version' }, 'Former'),
  );
  const link = h(
    'a',
    {
      href: picture ? picture.image : `#${item.id}`,
      class: `cell ${item.state}${item.former ? ' former' : ''}`,
      title: item.name,
    },
    picture ? frameOf(item, picture.thumb) : stubOf(item),
    caption,
  );
  return h('li', { class: 'tile' }, link);
}

/**
 * @param {GalleryItem} item
 * @param {string} thumb
 */
function frameOf(item, thumb) {
  const image = h('img', { src: thumb, alt: `${spokenName(item)}. ${item.prompt.slice(0, 300)}`, decoding: 'async' });
  const frame = h('span', { class: 'frame' }, image);
  image.addEventListener('load', () => frame.classList.add('loaded'));
  image.addEventListener('error', () => {
    frame.classList.add('missing');
    frame.replaceChildren(icon('warning'), h('span', {}, 'Thumbnail missing'));
  });
  return frame;
}

/**
 * What an item without a picture shows in its tile.
 *
 * @param {GalleryItem} item
 */
function stubOf(item) {
  const { failure } = item;
  const sign = item.state === 'failed' ? 'warning' : item.state === 'held' ? 'hand' : 'clock';
  const about = failure ? failure.message : item.prompt;
  const text = userText(about);
  text.className = 'about';
  return h(
    'span',
    { class: 'frame stub' },
    icon(sign),
    h('strong', {}, failure ? failureName(failure.class) : stateName(item)),
    text,
  );
}
