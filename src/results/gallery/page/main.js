import { h } from './dom.js';
import { createGrid } from './grid.js';
import { loadSection, readHead, sectionsOf } from './load.js';
import { countsFor, emptyQuery, facetsOf, select, sortByName, variantsOf } from './query.js';
import { createToolbar } from './toolbar.js';
import { createViewer } from './viewer.js';
import { bytesText, count, dateText, plural, STATE_NAMES } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */
/** @typedef {import('../gallery-data.ts').GalleryHead} GalleryHead */

const head = readHead();
const sections = sectionsOf(head);
const query = emptyQuery();
/** @type {GalleryItem[]} */
let items = [];
/** @type {import('./query.js').Facet[]} */
let facets = [];
/** @type {GalleryItem[]} */
let shown = [];
/** @type {Map<string, number>} */
let variantCounts = new Map();
let loading = new AbortController();

const main = placeOf('main');
const none = h('p', { class: 'empty', hidden: true });
main.append(none);
drawHead(placeOf('head'));
const toolbar = createToolbar(placeOf('bar'), {
  query,
  sections,
  onChange: () => refresh(),
  countsFor: (key) => countsFor(items, query, key),
  onSize: (rowHeight) => grid.setRowHeight(rowHeight),
  onSection: (index) => openSection(index),
  onEnter: () => grid.focusFirst(),
});
const viewer = createViewer({
  itemsShown: () => shown,
  variantsOf: (item) => variantsOf(items, item.name),
  onClose(item) {
    // The close event comes late: another picture may have been opened by its hash since.
    if (location.hash === `#${item.id}`) history.replaceState(null, '', location.pathname + location.search);
    grid.focusItem(item);
  },
});
const grid = createGrid(main, {
  onOpen: (item) => viewer.open(item),
  hasVariants: (item) => (variantCounts.get(item.name) ?? 0) > 1,
});
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || viewer.isOpen() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLInputElement && event.target.type === 'search') return;
  event.preventDefault();
  toolbar.focusSearch();
});
window.addEventListener('hashchange', openByHash);
openSection(0);

/** @param {number} index */
async function openSection(index) {
  const section = sections[index];
  if (!section) return;
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  items = [];
  variantCounts = new Map();
  try {
    for await (const arrived of loadSection(head, section, signal)) {
      if (signal.aborted) return;
      for (const { name } of arrived) variantCounts.set(name, (variantCounts.get(name) ?? 0) + 1);
      items = sortByName([...items, ...arrived]);
      facets = facetsOf(items);
      refresh(items.length < section.items);
      openByHash();
    }
  } catch (error) {
    none.hidden = false;
    none.textContent = error instanceof Error ? error.message : String(error);
  }
}

/** @param {boolean} [isLoading] */
function refresh(isLoading = false) {
  shown = select(items, query);
  grid.show(shown);
  toolbar.update(facets, {
    shown: shown.length,
    loaded: items.length,
    total: head.total + (head.further ?? 0),
    loading: isLoading,
  });
  none.hidden = shown.length > 0;
  none.replaceChildren(
    items.length === 0 ? 'Nothing has come of this batch yet.' : 'Nothing here is like that. ',
    (items.length > 0 && h('button', { type: 'button', class: 'clear', onclick: toolbar.clear }, 'Show everything')) ||
      '',
  );
}

function openByHash() {
  const id = location.hash.slice(1);
  const item = id !== '' && !viewer.isOpen() && items.find((one) => one.id === id);
  if (item) viewer.open(item);
}

/** @param {HTMLElement} place */
function drawHead(place) {
  const made = head.states.archived ?? 0;
  const facts = h('p', { class: 'facts' });
  facts.append(
    h(
      'span',
      {},
      `${made === head.total ? plural(made, 'image') : `${count(made)} of ${plural(head.total, 'image')}`}`,
    ),
  );
  for (const [state, name] of Object.entries(STATE_NAMES)) {
    const number = head.states[state];
    if (state !== 'archived' && number)
      facts.append(h('span', { class: `state ${state}` }, `${count(number)} ${name.toLowerCase()}`));
  }
  if (head.further) facts.append(h('span', {}, plural(head.further, 'further image')));
  if (head.bytes > 0) facts.append(h('span', {}, bytesText(head.bytes)));
  facts.append(h('span', {}, dateText(head.written)));
  const files = h('nav', { class: 'files', 'aria-label': 'Files' });
  if (head.sheet) files.append(h('a', { href: `./${head.sheet}` }, 'Contact sheet'));
  files.append(h('a', { href: './results.csv' }, 'CSV'), h('a', { href: './results.jsonl' }, 'JSONL'));
  place.append(h('div', {}, h('h1', {}, h('bdi', {}, head.batch)), facts), files);
}

/** @param {string} id */
function placeOf(id) {
  const place = document.getElementById(id);
  if (!place) throw new Error(`No #${id}`);
  return place;
}
