import { h } from './dom.js';
import { createMenus } from './menus.js';
import { pillsOf } from './pills.js';
import { isEmpty } from './query.js';
import { createSearch } from './search.js';
import { count, plural } from './words.js';

/** @typedef {import('./query.js').Facet} Facet */
/** @typedef {import('./query.js').Query} Query */

/** How many menus the style sheet shows while the row is folded. */
const MENUS_AT_FIRST = 6;
const SORTS = { name: 'By name', newest: 'Newest first', slowest: 'Slowest first' };

/**
 * Search, filters, order and size, and a line that says how many items are shown.
 *
 * @param {HTMLElement} place
 * @param {{
 *   query: Query,
 *   sections: readonly { label: string, items: number }[],
 *   onChange: () => void,
 *   countsFor: (key: string) => Map<string, number>,
 *   onSize: (rowHeight: number) => void,
 *   onSection: (index: number) => void,
 *   onEnter: () => void,
 * }} options
 */
export function createToolbar(place, { query, sections, onChange, countsFor, onSize, onSection, onEnter }) {
  const search = createSearch({ query, onChange, onEnter });
  const { filters, more } = createFilters();
  const menus = createMenus(filters, { query, onChange, countsFor });
  const shown = h('p', { class: 'shown', role: 'status' });
  const pills = h('div', { class: 'pills' });
  const section = sections.length > 1 && sectionSelect(sections, onSection);
  const view = h('div', { class: 'view' }, section, sortSelect(query, onChange), sizeSlider(onSize));
  place.append(
    h('div', { class: 'tools' }, search.element, filters, more),
    h('div', { class: 'status' }, shown, pills, view),
  );

  function clear() {
    search.empty();
    query.chosen.clear();
    onChange();
  }

  return {
    clear,
    focusSearch: search.focus,
    /**
     * @param {readonly Facet[]} facets
     * @param {{ shown: number, loaded: number, total: number, loading: boolean }} numbers
     */
    update(facets, numbers) {
      menus.update(facets);
      filters.classList.toggle('many', facets.length > MENUS_AT_FIRST);
      shown.textContent = shownText(numbers, isEmpty(query));
      pills.replaceChildren(...pillsOf(query, { onChange, onClear: clear }));
    },
  };
}

/** The row of menus, folded at first, and the button that unfolds it. */
function createFilters() {
  const filters = h('div', { class: 'filters' });
  const more = h('button', {
    type: 'button',
    class: 'more',
    onclick: () => fold(!filters.classList.contains('folded')),
  });

  /** @param {boolean} folded */
  function fold(folded) {
    filters.classList.toggle('folded', folded);
    more.setAttribute('aria-expanded', String(!folded));
    more.textContent = folded ? 'More filters' : 'Fewer filters';
  }

  fold(true);
  return { filters, more };
}

/**
 * @param {Query} query
 * @param {() => void} onChange
 */
function sortSelect(query, onChange) {
  const select = h('select', {
    'aria-label': 'Order',
    onchange: () => {
      query.sort = select.value === 'newest' || select.value === 'slowest' ? select.value : 'name';
      onChange();
    },
  });
  for (const [value, label] of Object.entries(SORTS)) select.append(h('option', { value }, label));
  return select;
}

/** @param {(rowHeight: number) => void} onSize */
function sizeSlider(onSize) {
  const slider = h('input', {
    type: 'range',
    min: 110,
    max: 420,
    step: 10,
    value: 220,
    class: 'size',
    'aria-label': 'Size of the pictures',
    title: 'Size of the pictures',
    oninput: () => onSize(Number(slider.value)),
  });
  return slider;
}

/**
 * @param {readonly { label: string, items: number }[]} sections
 * @param {(index: number) => void} onSection
 */
function sectionSelect(sections, onSection) {
  const select = h('select', {
    class: 'section',
    'aria-label': 'Part of the batch',
    onchange: () => onSection(select.selectedIndex),
  });
  for (const { label, items } of sections) select.append(h('option', {}, `${label} (${count(items)})`));
  return select;
}

/**
 * @param {{ shown: number, loaded: number, total: number, loading: boolean }} numbers
 * @param {boolean} everything
 */
function shownText({ shown, loaded, total, loading }, everything) {
  const part = loaded < total ? ` of ${count(total)}${loading ? ', loading …' : ' in the batch'}` : '';
  if (everything) return `${plural(loaded, 'item')}${part}`;
  return `${count(shown)} of ${plural(loaded, 'item')}${part && ` loaded${part}`}`;
}
