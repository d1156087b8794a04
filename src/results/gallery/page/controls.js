import { h, icon } from './dom.js';
import { count } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

/**
 * The viewer's bar: previous and next, the position, comparing, the file's links, closing.
 *
 * @param {{ onMove: (step: number) => void, onCompare: () => void, onClose: () => void }} options
 */
export function createControls({ onMove, onCompare, onClose }) {
  const place = h('span', { class: 'place' });
  const previous = iconButton('previous', 'Previous (←)', () => onMove(-1));
  const next = iconButton('next', 'Next (→)', () => onMove(1));
  const compare = createCompareButton(onCompare);
  const open = fileLink('open', 'Open the file', { target: '_blank', rel: 'noopener' });
  const save = fileLink('download', 'Download', { download: '' });
  const close = iconButton('close', 'Close (Esc)', onClose);
  const space = h('span', { class: 'space' });

  return {
    element: h('nav', {}, previous, next, place, space, compare.button, open, save, close),
    /**
     * `at` is the item's index among `total`, or -1.
     *
     * @param {GalleryItem} item
     * @param {{ at: number, total: number, variants: number, comparing: boolean }} position
     */
    update(item, { at, total, variants, comparing }) {
      place.textContent = at === -1 ? '' : `${count(at + 1)} of ${count(total)}`;
      previous.disabled = at <= 0;
      next.disabled = at === total - 1;
      compare.update(variants, comparing, item.number === undefined ? 'variants' : 'images');
      for (const link of [open, save]) {
        link.hidden = !item.picture;
        if (item.picture) link.href = item.picture.image;
      }
    },
  };
}

/** @param {() => void} onclick */
function createCompareButton(onclick) {
  const label = h('span', {});
  const button = h('button', {
    type: 'button',
    class: 'wide',
    'aria-label': 'Compare variants',
    title: 'Variants side by side (c)',
    onclick,
  });
  button.append(icon('compare'), label);
  return {
    button,
    /**
     * @param {number} variants
     * @param {boolean} comparing
     * @param {'variants' | 'images'} what
     */
    update(variants, comparing, what) {
      button.hidden = variants < 2;
      button.setAttribute('aria-pressed', String(comparing));
      label.textContent = comparing ? 'One picture' : `Compare ${variants} ${what}`;
      button.setAttribute('aria-label', label.textContent);
    },
  };
}

/**
 * @param {Parameters<typeof icon>[0]} name
 * @param {string} label
 * @param {Record<string, string>} attributes
 */
function fileLink(name, label, attributes) {
  const link = h('a', { class: 'icon', ...attributes, title: label, 'aria-label': label });
  link.append(icon(name));
  return link;
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
