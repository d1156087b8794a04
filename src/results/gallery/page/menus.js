import { h, icon, userText } from './dom.js';
import { count } from './words.js';

/** @typedef {import('./query.js').Facet} Facet */
/** @typedef {import('./query.js').Query} Query */

/**
 * A menu of check boxes for each facet.
 *
 * @param {HTMLElement} place
 * @param {{ query: Query, onChange: () => void, countsFor: (key: string) => Map<string, number> }} options
 */
export function createMenus(place, { query, onChange, countsFor }) {
  /** @type {Map<string, ReturnType<typeof createMenu>>} */
  const menus = new Map();

  document.addEventListener('click', (event) => {
    for (const { menu } of menus.values()) {
      if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
    }
  });

  return {
    /** @param {readonly Facet[]} facets */
    update(facets) {
      for (const [key, { menu }] of menus) {
        if (facets.some((facet) => facet.key === key)) continue;
        menu.remove();
        menus.delete(key);
      }
      for (const facet of facets) {
        let known = menus.get(facet.key);
        if (!known) {
          known = createMenu(facet, query, onChange, countsFor);
          menus.set(facet.key, known);
          place.append(known.menu);
        }
        known.update(facet);
      }
    },
  };
}

/**
 * @param {Facet} facet
 * @param {Query} query
 * @param {() => void} onChange
 * @param {(key: string) => Map<string, number>} countsFor
 */
function createMenu({ key, label }, query, onChange, countsFor) {
  const number = h('span', { class: 'number' });
  const panel = h('div', { class: 'panel', role: 'group', 'aria-label': label });
  const summary = h('summary', {}, userText(label), number, icon('down'));
  const menu = h('details', { class: 'menu' }, summary, panel);
  /** @type {Map<string, { option: HTMLLabelElement, box: HTMLInputElement, total: HTMLElement }>} */
  const options = new Map();

  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    summary.focus();
  });
  menu.addEventListener('toggle', () => {
    if (!menu.open) return;
    showCounts();
    // A panel that would reach beyond the screen opens to the left.
    panel.classList.toggle('leftwards', menu.getBoundingClientRect().left + panel.offsetWidth > window.innerWidth - 12);
  });

  /** @param {string} value */
  function choose(value) {
    const chosen = query.chosen.get(key) ?? new Set();
    if (!chosen.delete(value)) chosen.add(value);
    if (chosen.size > 0) query.chosen.set(key, chosen);
    else query.chosen.delete(key);
    onChange();
  }

  function showCounts() {
    const counts = countsFor(key);
    for (const [value, { option, total }] of options) {
      const left = counts.get(value) ?? 0;
      total.textContent = count(left);
      option.classList.toggle('none', left === 0);
    }
  }

  return {
    menu,
    /** @param {Facet} facet */
    update(facet) {
      const chosen = query.chosen.get(key);
      number.textContent = chosen ? String(chosen.size) : '';
      menu.classList.toggle('active', chosen !== undefined);
      for (const { value, label: text } of facet.values) {
        let known = options.get(value);
        if (!known) {
          const box = h('input', { type: 'checkbox', onchange: () => choose(value) });
          const total = h('span', { class: 'total' });
          const option = h('label', {}, box, h('bdi', { class: 'text' }, text), total);
          known = { option, box, total };
          options.set(value, known);
          panel.append(option);
        }
        known.box.checked = chosen?.has(value) ?? false;
      }
      // Counting is the slow part of a key press, so only an open menu is counted.
      if (menu.open) showCounts();
    },
  };
}
