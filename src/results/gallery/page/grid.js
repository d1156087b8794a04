import { h } from './dom.js';
import { layOut, neighbour, rowsBetween } from './layout.js';
import { CAPTION_PX, createTiles } from './tiles.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */
/** @typedef {import('./layout.js').Box} Box */
/** @typedef {import('./layout.js').Row} Row */

/** Screens drawn above and below the visible one, so that scrolling shows pictures and not gaps. */
const SPARE_SCREENS = 1;
/** Room that the sticky toolbar takes above a picture, and a margin below it. */
const [ROOM_ABOVE_PX, ROOM_BELOW_PX] = [90, 16];

/**
 * All items as rows of pictures. Scrolls virtually: only the tiles near the screen are in the document.
 *
 * @param {HTMLElement} place
 * @param {{ onOpen: (item: GalleryItem) => void, hasVariants: (item: GalleryItem) => boolean }} options
 */
export function createGrid(place, { onOpen, hasVariants }) {
  const list = h('ul', { class: 'grid' });
  place.append(list);
  const tiles = createTiles(list, { onOpen, hasVariants });
  /** @type {readonly GalleryItem[]} */
  let items = [];
  let layout = layOut([], { width: 1, rowHeight: 1, gap: 0, caption: 0 });
  let rowHeight = 220;
  let nextFrame = 0;

  function draw() {
    nextFrame = 0;
    tiles.showRange(items, layout.boxes, rangeNearScreen(layout.rows, list.offsetTop));
  }

  function drawSoon() {
    if (nextFrame === 0) nextFrame = requestAnimationFrame(draw);
  }

  function arrange() {
    layout = layoutFor(items, list.clientWidth, rowHeight);
    list.style.height = `${layout.height}px`;
    tiles.clear();
    draw();
  }

  /** Keeps the same pictures on the screen when the width or the size changes. */
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
    scrollToBox(box, list.offsetTop);
    tiles.setCurrent(index);
    draw();
    tiles.linkAt(index)?.focus({ preventScroll: true });
  }

  onArrowKey(list, (key) => neighbour(layout, tiles.current(), key), focus);
  window.addEventListener('scroll', drawSoon, { passive: true });
  onResize(list, { width: rearrange, height: drawSoon });

  return {
    /** @param {readonly GalleryItem[]} shown */
    show(shown) {
      items = shown;
      tiles.setCurrent(0);
      arrange();
    },
    /** @param {number} height */
    setRowHeight(height) {
      rowHeight = height;
      rearrange();
    },
    /** @param {GalleryItem} item */
    focusItem: (item) => focus(items.indexOf(item)),
    focusFirst: () => focus(tiles.current() < items.length ? tiles.current() : 0),
  };
}

/**
 * @param {readonly Row[]} rows
 * @param {number} listTop
 */
function rangeNearScreen(rows, listTop) {
  const top = window.scrollY - listTop;
  const spare = window.innerHeight * SPARE_SCREENS;
  const near = rowsBetween(rows, top - spare, top + window.innerHeight + spare);
  return { first: near[0]?.start ?? 0, end: near.at(-1)?.end ?? 0 };
}

/**
 * @param {readonly GalleryItem[]} items
 * @param {number} width
 * @param {number} rowHeight
 */
function layoutFor(items, width, rowHeight) {
  const isNarrow = width < 520;
  // A phone should still show two pictures side by side at the size that is set.
  const height = isNarrow ? rowHeight * 0.62 : rowHeight;
  return layOut(items.map(aspectOf), { width, rowHeight: height, gap: isNarrow ? 8 : 14, caption: CAPTION_PX });
}

/**
 * Scrolls no further than it must.
 *
 * @param {Box} box
 * @param {number} listTop
 */
function scrollToBox(box, listTop) {
  const above = listTop + box.top - ROOM_ABOVE_PX;
  const below = listTop + box.top + box.height + CAPTION_PX + ROOM_BELOW_PX - window.innerHeight;
  if (window.scrollY > above) window.scrollTo(0, above);
  else if (window.scrollY < below) window.scrollTo(0, below);
}

/**
 * @param {HTMLElement} list
 * @param {(key: string) => number | undefined} neighbourFor
 * @param {(index: number) => void} focus
 */
function onArrowKey(list, neighbourFor, focus) {
  list.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const next = neighbourFor(event.key);
    if (next === undefined) return;
    event.preventDefault();
    focus(next);
  });
}

/**
 * @param {HTMLElement} list
 * @param {{ width: () => void, height: () => void }} handlers
 */
function onResize(list, handlers) {
  let lastWidth = 0;
  new ResizeObserver(() => {
    if (list.clientWidth === lastWidth) handlers.height();
    else handlers.width();
    lastWidth = list.clientWidth;
  }).observe(list);
}

/** @param {GalleryItem} item */
function aspectOf({ picture, parameters }) {
  if (picture && picture.height > 0) return picture.width / picture.height;
  const [across, down] = String(parameters.aspectRatio ?? '4:3')
    .split(':')
    .map(Number);
  return across && down ? Math.min(2, Math.max(0.9, across / down)) : 4 / 3;
}
