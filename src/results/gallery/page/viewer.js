import { detailsOf } from './details.js';
import { h, icon } from './dom.js';
import { generationMs } from './query.js';
import { count, durationText, failureName, spokenName, stateName } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

/** More variants than this scroll. */
const FIT_ON_SCREEN = 6;

/**
 * One item at full size with its details, or all its variants side by side.
 *
 * @param {{
 *   itemsShown: () => readonly GalleryItem[],
 *   variantsOf: (item: GalleryItem) => GalleryItem[],
 *   onClose: (item: GalleryItem) => void,
 * }} does
 */
export function createViewer({ itemsShown, variantsOf, onClose }) {
  // Takes the focus, so that no button is marked before one is asked for.
  const stage = h('div', { class: 'stage', tabindex: -1, autofocus: true });
  const aside = h('aside', { 'aria-label': 'Details', tabindex: 0 });
  const place = h('span', { class: 'place' });
  const previous = iconButton('previous', 'Previous (←)', () => move(-1));
  const next = iconButton('next', 'Next (→)', () => move(1));
  const compareLabel = h('span', {});
  const compare = h('button', {
    type: 'button',
    class: 'wide',
    'aria-label': 'Compare variants',
    title: 'Variants side by side (c)',
    onclick: toggleCompare,
  });
  compare.append(icon('compare'), compareLabel);
  const open = h('a', {
    class: 'icon',
    target: '_blank',
    rel: 'noopener',
    title: 'Open the file',
    'aria-label': 'Open the file',
  });
  open.append(icon('open'));
  const save = h('a', { class: 'icon', download: '', title: 'Download', 'aria-label': 'Download' });
  save.append(icon('download'));
  const dialog = h(
    'dialog',
    { class: 'viewer', 'aria-label': 'Picture' },
    h(
      'nav',
      {},
      previous,
      next,
      place,
      h('span', { class: 'space' }),
      compare,
      open,
      save,
      iconButton('close', 'Close (Esc)', () => dialog.close()),
    ),
    stage,
    aside,
  );
  document.body.append(dialog);

  /** @type {GalleryItem | undefined} */
  let item;
  let comparing = false;

  dialog.addEventListener('close', () => {
    document.documentElement.classList.remove('viewing');
    stage.replaceChildren();
    comparing = false;
    if (item) onClose(item);
    item = undefined;
  });
  dialog.addEventListener('cancel', (event) => {
    if (!comparing) return;
    event.preventDefault();
    toggleCompare();
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'ArrowLeft') move(-1);
    else if (event.key === 'ArrowRight') move(1);
    else if (event.key === 'c') toggleCompare();
    else return;
    event.preventDefault();
  });
  swipes(stage, move);

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
    place.textContent = at === -1 ? '' : `${count(at + 1)} of ${count(among.length)}`;
    previous.disabled = at <= 0;
    next.disabled = at === among.length - 1;
    compare.hidden = variants.length < 2;
    compare.setAttribute('aria-pressed', String(comparing));
    compareLabel.textContent = comparing ? 'One picture' : `Compare ${variants.length} variants`;
    compare.setAttribute('aria-label', compareLabel.textContent);
    for (const link of [open, save]) {
      link.hidden = !shown.picture;
      if (shown.picture) link.href = shown.picture.image;
    }
    stage.classList.toggle('comparing', comparing);
    stage.replaceChildren(comparing ? sideBySide(variants, shown) : full(shown));
    stage.querySelector('.chosen')?.scrollIntoView({ block: 'nearest' });
    aside.replaceChildren(...detailsOf(shown));
    aside.scrollTop = 0;
    preload(among[at + 1]);
    history.replaceState(null, '', `#${shown.id}`);
    if (!dialog.open) {
      document.documentElement.classList.add('viewing');
      dialog.showModal();
    }
  }

  /**
   * @param {readonly GalleryItem[]} variants
   * @param {GalleryItem} chosen
   */
  function sideBySide(variants, chosen) {
    const wall = h('div', { class: variants.length <= FIT_ON_SCREEN ? 'wall fits' : 'wall' });
    wall.style.setProperty('--columns', String(columnsFor(variants)));
    for (const variant of variants) {
      const ms = generationMs(variant);
      const cell = h(
        'button',
        { type: 'button', class: variant === chosen ? 'side chosen' : 'side', 'aria-pressed': variant === chosen },
        variant.picture ? pictureOf(variant, variant.picture) : inPlace(variant),
        h(
          'span',
          { class: 'caption' },
          `Variant ${variant.variant}`,
          h('span', {}, ms === undefined ? stateName(variant) : durationText(ms)),
        ),
      );
      cell.addEventListener('click', () => {
        if (variant === item) toggleCompare();
        else show(variant);
      });
      wall.append(cell);
    }
    return wall;
  }

  return {
    /** @param {GalleryItem} shown */
    open: (shown) => show(shown),
    isOpen: () => dialog.open,
  };
}

/** @param {GalleryItem} item */
function full(item) {
  return item.picture ? pictureOf(item, item.picture) : inPlace(item);
}

/**
 * The thumbnail stands in until the picture itself has come.
 *
 * @param {GalleryItem} item
 * @param {import('../gallery-data.ts').Picture} picture
 */
function pictureOf(item, { image, thumb, width, height }) {
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

/**
 * What stands where a picture would.
 *
 * @param {GalleryItem} item
 */
function inPlace(item) {
  const text = item.failure ? failureName(item.failure.class) : stateName(item);
  return h('p', { class: `nothing ${item.state}` }, icon(item.failure ? 'warning' : 'clock'), text);
}

/** @param {GalleryItem | undefined} item */
function preload(item) {
  if (item?.picture) new Image().src = item.picture.image;
}

/** @param {readonly GalleryItem[]} variants */
function columnsFor(variants) {
  const { width = 4, height = 3 } = variants.find((variant) => variant.picture)?.picture ?? {};
  const wide = width / height > 1.9;
  return Math.min(variants.length, wide ? 1 : variants.length <= 4 ? 2 : 3);
}

/**
 * @param {Parameters<typeof icon>[0]} name
 * @param {string} label
 * @param {() => void} onclick
 */
function iconButton(name, label, onclick) {
  const button = h('button', {
    type: 'button',
    class: 'icon',
    title: label,
    'aria-label': label.replace(/ \(.*/, ''),
    onclick,
  });
  button.append(icon(name));
  return button;
}

/**
 * @param {HTMLElement} place
 * @param {(step: number) => void} move
 */
function swipes(place, move) {
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
    if (Math.abs(moved) > 60) move(moved < 0 ? 1 : -1);
  });
}
