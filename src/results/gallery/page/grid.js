import { h, icon, userText } from './dom.js';
import { layOut, neighbour, rowsBetween } from './layout.js';
import { failureName, spokenName, stateName } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

const CAPTION_PX = 30;
/** Screens drawn above and below what is seen, so that scrolling meets pictures and not gaps. */
const SPARE_SCREENS = 1;

/**
 * All items as a wall of pictures, of which only those near the screen are in the document.
 *
 * @param {HTMLElement} place
 * @param {{ onOpen: (item: GalleryItem) => void, hasVariants: (item: GalleryItem) => boolean }} does
 */
export function createGrid(place, { onOpen, hasVariants }) {
  const list = h('ul', { class: 'grid' });
  place.append(list);
  /** @type {readonly GalleryItem[]} */
  let items = [];
  let layout = layOut([], { width: 1, rowHeight: 1, gap: 0, caption: 0 });
  let rowHeight = 220;
  let current = 0;
  let drawing = 0;
  /** @type {Map<number, HTMLLIElement>} */
  const tiles = new Map();

  function draw() {
    drawing = 0;
    const top = window.scrollY - list.offsetTop;
    const spare = window.innerHeight * SPARE_SCREENS;
    const rows = rowsBetween(layout.rows, top - spare, top + window.innerHeight + spare);
    const [first, end] = [rows[0]?.start ?? 0, rows.at(-1)?.end ?? 0];
    for (const [index, tile] of tiles) {
      if (index >= first && index < end) continue;
      // What has the focus stays, or the keyboard would lose its place.
      if (tile.contains(document.activeElement)) continue;
      tile.remove();
      tiles.delete(index);
    }
    for (let index = first; index < end; index++) {
      if (!tiles.has(index)) addTile(index);
    }
  }

  /** @param {number} index */
  function addTile(index) {
    const [item, box] = [items[index], layout.boxes[index]];
    if (!item || !box) return;
    const tile = tileOf(item, hasVariants(item));
    tile.setAttribute('aria-setsize', String(items.length));
    tile.setAttribute('aria-posinset', String(index + 1));
    Object.assign(tile.style, {
      transform: `translate(${box.left.toFixed(1)}px, ${box.top.toFixed(1)}px)`,
      width: `${box.width.toFixed(1)}px`,
      height: `${(box.height + CAPTION_PX).toFixed(1)}px`,
    });
    const link = tile.querySelector('a');
    link?.setAttribute('tabindex', index === current ? '0' : '-1');
    link?.addEventListener('focus', () => setCurrent(index));
    link?.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onOpen(item);
    });
    // In the order of the items, which is the order that Tab and screen readers go by.
    let after = index + 1;
    while (after < index + 200 && !tiles.has(after)) after++;
    list.insertBefore(tile, tiles.get(after) ?? null);
    tiles.set(index, tile);
  }

  /** @param {number} index */
  function setCurrent(index) {
    tiles.get(current)?.querySelector('a')?.setAttribute('tabindex', '-1');
    current = index;
    tiles.get(current)?.querySelector('a')?.setAttribute('tabindex', '0');
  }

  function drawSoon() {
    if (drawing === 0) drawing = requestAnimationFrame(draw);
  }

  function arrange() {
    const width = list.clientWidth;
    const gap = width < 520 ? 8 : 14;
    // On a phone the same size means two beside each other.
    const most = width < 520 ? rowHeight * 0.62 : rowHeight;
    layout = layOut(items.map(aspectOf), { width, rowHeight: most, gap, caption: CAPTION_PX });
    list.style.height = `${layout.height}px`;
    for (const tile of tiles.values()) tile.remove();
    tiles.clear();
    draw();
  }

  /** The same pictures stay in sight when the width or the size changes. */
  function rearrange() {
    const top = window.scrollY - list.offsetTop;
    const seen = top > 0 ? rowsBetween(layout.rows, top, top + 1)[0]?.start : undefined;
    arrange();
    if (seen !== undefined) window.scrollTo(0, list.offsetTop + (layout.boxes[seen]?.top ?? 0));
  }

  /** @param {number} index */
  function focus(index) {
    const box = layout.boxes[index];
    if (!box) return;
    const above = list.offsetTop + box.top - 90;
    const below = list.offsetTop + box.top + box.height + CAPTION_PX + 16 - window.innerHeight;
    if (window.scrollY > above) window.scrollTo(0, above);
    else if (window.scrollY < below) window.scrollTo(0, below);
    setCurrent(index);
    draw();
    tiles.get(index)?.querySelector('a')?.focus({ preventScroll: true });
  }

  list.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const next = neighbour(layout, current, event.key);
    if (next === undefined) return;
    event.preventDefault();
    focus(next);
  });
  window.addEventListener('scroll', drawSoon, { passive: true });
  let lastWidth = 0;
  new ResizeObserver(() => {
    if (list.clientWidth === lastWidth) drawSoon();
    else rearrange();
    lastWidth = list.clientWidth;
  }).observe(list);

  return {
    /** @param {readonly GalleryItem[]} shown */
    show(shown) {
      items = shown;
      current = 0;
      arrange();
    },
    /** @param {number} height */
    setRowHeight(height) {
      rowHeight = height;
      rearrange();
    },
    /** @param {GalleryItem} item */
    focusItem: (item) => focus(items.indexOf(item)),
    focusFirst: () => focus(current < items.length ? current : 0),
  };
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
    hasVariants && h('span', { class: 'variant' }, String(item.variant)),
  );
  const link = h(
    'a',
    { href: picture ? picture.image : `#${item.id}`, class: `cell ${item.state}`, title: item.name },
    picture ? frameOf(item, picture.thumb) : stub(item),
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

/** @param {GalleryItem} item */
function stub(item) {
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

/** @param {GalleryItem} item */
function aspectOf({ picture, parameters }) {
  if (picture && picture.height > 0) return picture.width / picture.height;
  const [across, down] = String(parameters.aspectRatio ?? '4:3')
    .split(':')
    .map(Number);
  return across && down ? Math.min(2, Math.max(0.9, across / down)) : 4 / 3;
}
