import { sideBySide } from './compare.js';
import { createControls } from './controls.js';
import { detailsOf } from './details.js';
import { h } from './dom.js';
import { pictureOf, preload } from './picture.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

/**
 * One item at full size with its details, or all its variants side by side.
 *
 * @param {{
 *   itemsShown: () => readonly GalleryItem[],
 *   variantsOf: (item: GalleryItem) => GalleryItem[],
 *   onClose: (item: GalleryItem) => void,
 * }} options
 */
export function createViewer({ itemsShown, variantsOf, onClose }) {
  /** @type {GalleryItem | undefined} */
  let item;
  let comparing = false;
  const controls = createControls({ onMove: move, onCompare: toggleCompare, onClose: () => dialog.close() });
  // The stage takes the focus when the viewer opens. Otherwise the browser would focus, and mark, the first button.
  const stage = h('div', { class: 'stage', tabindex: -1, autofocus: true });
  const aside = h('aside', { 'aria-label': 'Details', tabindex: 0 });
  const dialog = h('dialog', { class: 'viewer', 'aria-label': 'Picture' }, controls.element, stage, aside);
  document.body.append(dialog);

  onDialogEvents(dialog, { onClosed, isComparing: () => comparing, onCompare: toggleCompare, onMove: move });
  onSwipe(stage, move);

  function onClosed() {
    document.documentElement.classList.remove('viewing');
    stage.replaceChildren();
    comparing = false;
    if (item) onClose(item);
    item = undefined;
  }

  /** @param {number} step */
  function move(step) {
    if (!item) return;
    const among = comparing ? variantsOf(item) : itemsShown();
    const target = among[among.indexOf(item) + step];
    if (target) show(target);
  }

  function toggleCompare() {
    if (!item || (!comparing && variantsOf(item).length < 2)) return;
    comparing = !comparing;
    show(item);
  }

  /** @param {GalleryItem} shown */
  function show(shown) {
    item = shown;
    const variants = variantsOf(shown);
    const among = comparing ? variants : itemsShown();
    const at = among.indexOf(shown);
    controls.update(shown, { at, total: among.length, variants: variants.length, comparing });
    stage.classList.toggle('comparing', comparing);
    stage.replaceChildren(comparing ? sideBySide(variants, shown, choose) : pictureOf(shown));
    stage.querySelector('.chosen')?.scrollIntoView({ block: 'nearest' });
    aside.replaceChildren(...detailsOf(shown));
    aside.scrollTop = 0;
    preload(among[at + 1]);
    history.replaceState(null, '', `#${shown.id}`);
    openDialog(dialog);
  }

  /** @param {GalleryItem} variant */
  function choose(variant) {
    if (variant === item) toggleCompare();
    else show(variant);
  }

  return { open: show, isOpen: () => dialog.open };
}

/** @param {HTMLDialogElement} dialog */
function openDialog(dialog) {
  if (dialog.open) return;
  document.documentElement.classList.add('viewing');
  dialog.showModal();
}

/**
 * Escape first ends comparing, then closes.
 *
 * @param {HTMLDialogElement} dialog
 * @param {{
 *   onClosed: () => void,
 *   isComparing: () => boolean,
 *   onCompare: () => void,
 *   onMove: (step: number) => void,
 * }} handlers
 */
function onDialogEvents(dialog, { onClosed, isComparing, onCompare, onMove }) {
  dialog.addEventListener('close', onClosed);
  dialog.addEventListener('cancel', (event) => {
    if (!isComparing()) return;
    event.preventDefault();
    onCompare();
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'ArrowLeft') onMove(-1);
    else if (event.key === 'ArrowRight') onMove(1);
    else if (event.key === 'c') onCompare();
    else return;
    event.preventDefault();
  });
}

/**
 * @param {HTMLElement} place
 * @param {(step: number) => void} onMove
 */
function onSwipe(place, onMove) {
  let startX = 0;
  place.addEventListener(
    'touchstart',
    (event) => {
      startX = event.touches.length === 1 ? (event.touches[0]?.clientX ?? 0) : Number.NaN;
    },
    { passive: true },
  );
  place.addEventListener('touchend', (event) => {
    const moved = (event.changedTouches[0]?.clientX ?? 0) - startX;
    if (Math.abs(moved) > 60) onMove(moved < 0 ? 1 : -1);
  });
}
