import { h, icon, userText } from './dom.js';
import { createMenus } from './menus.js';
import { facetLabel, isEmpty, valueLabel } from './query.js';
import { count, plural } from './words.js';

/** @typedef {import('./query.js').Facet} Facet */
/** @typedef {import('./query.js').Query} Query */
/** @typedef {import('./load.js').GalleryHead} GalleryHead */

/** As many as the style sheet shows of a folded row. */
const MENUS_AT_FIRST = 6;
const SORTS = { name: 'By name', newest: 'Newest first', slowest: 'Slowest first' };

/**
 * Search, menus, order and size, and a line that says what is shown.
 *
 * @param {HTMLElement} place
 * @param {{
 *   query: Query,
 *   sections: { label: string, items: number }[],
 *   onChange: () => void,
 *   countsFor: (key: string) => Map<string, number>,
 *   onSize: (rowHeight: number) => void,
 *   onSection: (index: number) => void,
 *   onEnter: () => void,
 * }} does
 */
export function createToolbar(place, { query, sections, onChange, countsFor, onSize, onSection, onEnter }) {
  const search = h('input', {
    type: 'search',
    id: 'search',
    placeholder: 'Search prompts, names, ids',
    'aria-label': 'Search prompts, names, ids',
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: () => {
      query.text = search.value;
      onChange();
    },
    onkeydown: (event) => {
      if (event.key === 'Escape') leaveSearch();
      if (event.key === 'ArrowDown' || event.key === 'Enter') {
        event.preventDefault();
        onEnter();
      }
    },
  });
  const sort = h('select', { 'aria-label': 'Order', onchange: () => setSort(sort.value) });
  for (const [value, label] of Object.entries(SORTS)) sort.append(h('option', { value }, label));
  const size = h('input', {
    type: 'range',
    min: 110,
    max: 420,
    step: 10,
    value: 220,
    class: 'size',
    'aria-label': 'Size of the pictures',
    title: 'Size of the pictures',
    oninput: () => onSize(Number(size.value)),
  });
  const section = h('select', {
    class: 'section',
    'aria-label': 'Part of the batch',
    onchange: () => onSection(section.selectedIndex),
  });
  for (const { label, items } of sections) section.append(h('option', {}, `${label} (${count(items)})`));

  const more = h('button', {
    type: 'button',
    class: 'more',
    'aria-expanded': false,
    onclick: () => fold(!filters.classList.contains('folded')),
  });
  const filters = h('div', { class: 'filters folded' });
  const shown = h('p', { class: 'shown', role: 'status' });
  const pills = h('div', { class: 'pills' });
  place.append(
    h(
      'div',
      { class: 'tools' },
      h('label', { class: 'search' }, icon('search'), search, h('kbd', { 'aria-hidden': 'true' }, '/')),
      filters,
      more,
    ),
    h(
      'div',
      { class: 'status' },
      shown,
      pills,
      h('div', { class: 'view' }, sections.length > 1 && section, sort, size),
    ),
  );
  const menus = createMenus(filters, { query, onChange, countsFor });

  function leaveSearch() {
    if (search.value === '') search.blur();
    search.value = '';
    query.text = '';
    onChange();
  }

  /** @param {boolean} folded */
  function fold(folded) {
    filters.classList.toggle('folded', folded);
    more.setAttribute('aria-expanded', String(!folded));
    more.textContent = folded ? 'More filters' : 'Fewer filters';
  }

  /** @param {string} value */
  function setSort(value) {
    query.sort = value === 'newest' || value === 'slowest' ? value : 'name';
    onChange();
  }

  function clear() {
    query.text = '';
    search.value = '';
    query.chosen.clear();
    onChange();
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  function pill(key, value) {
    const label = `${facetLabel(key)}: ${valueLabel(key, value)}`;
    const remove = () => {
      const chosen = query.chosen.get(key);
      chosen?.delete(value);
      if (chosen?.size === 0) query.chosen.delete(key);
      onChange();
    };
    return h(
      'button',
      { type: 'button', class: 'pill', 'aria-label': `Remove ${label}`, onclick: remove },
      userText(label),
      icon('close'),
    );
  }

  fold(true);

  return {
    clear,
    focusSearch() {
      search.focus();
      search.select();
    },
    /**
     * @param {readonly Facet[]} facets
     * @param {{ shown: number, loaded: number, total: number, loading: boolean }} numbers
     */
    update(facets, numbers) {
      menus.update(facets);
      filters.classList.toggle('many', facets.length > MENUS_AT_FIRST);
      shown.textContent = shownText(numbers, isEmpty(query));
      const chosen = [...query.chosen].flatMap(([key, values]) => [...values].map((value) => pill(key, value)));
      const clearAll = h('button', { type: 'button', class: 'clear', onclick: clear }, 'Clear all');
      pills.replaceChildren(...chosen, ...(isEmpty(query) ? [] : [clearAll]));
    },
  };
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
