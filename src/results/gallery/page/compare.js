import { h } from './dom.js';
import { pictureOf } from './picture.js';
import { generationMs } from './query.js';
import { durationText, stateName, variantName } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

/** As many variants fit on a screen; more of them scroll. */
const FIT_ON_SCREEN = 6;

/**
 * All variants of an item side by side, each a button.
 *
 * @param {readonly GalleryItem[]} variants
 * @param {GalleryItem} chosen
 * @param {(variant: GalleryItem) => void} onChoose
 */
export function sideBySide(variants, chosen, onChoose) {
  const wall = h('div', { class: variants.length <= FIT_ON_SCREEN ? 'wall fits' : 'wall' });
  wall.style.setProperty('--columns', String(columnsFor(variants)));
  for (const variant of variants) {
    const ms = generationMs(variant);
    const cell = h(
      'button',
      { type: 'button', class: variant === chosen ? 'side chosen' : 'side', 'aria-pressed': variant === chosen },
      pictureOf(variant),
      h(
        'span',
        { class: 'caption' },
        variantName(variant),
        h('span', {}, ms === undefined ? stateName(variant) : durationText(ms)),
      ),
    );
    cell.addEventListener('click', () => onChoose(variant));
    wall.append(cell);
  }
  return wall;
}

/** @param {readonly GalleryItem[]} variants */
function columnsFor(variants) {
  const { width = 4, height = 3 } = variants.find((variant) => variant.picture)?.picture ?? {};
  const wide = width / height > 1.9;
  return Math.min(variants.length, wide ? 1 : variants.length <= 4 ? 2 : 3);
}
