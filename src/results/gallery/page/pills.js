import { h, icon, userText } from './dom.js';
import { facetLabel, isEmpty, valueLabel } from './query.js';

/** @typedef {import('./query.js').Query} Query */

/**
 * A button for each value that is filtered by, which removes it, and one that removes all.
 *
 * @param {Query} query
 * @param {{ onChange: () => void, onClear: () => void }} handlers
 * @returns {HTMLElement[]}
 */
export function pillsOf(query, { onChange, onClear }) {
  const pills = [...query.chosen].flatMap(([key, values]) =>
    [...values].map((value) => pill(query, key, value, onChange)),
  );
  if (isEmpty(query)) return pills;
  return [...pills, h('button', { type: 'button', class: 'clear', onclick: onClear }, 'Clear all')];
}

/**
 * @param {Query} query
 * @param {string} key
 * @param {string} value
 * @param {() => void} onChange
 */
function pill(query, key, value, onChange) {
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
