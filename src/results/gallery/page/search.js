import { h, icon } from './dom.js';

/** @typedef {import('./query.js').Query} Query */

/**
 * The search field. Escape empties it, then leaves it. Enter and the down arrow lead to the pictures.
 *
 * @param {{ query: Query, onChange: () => void, onEnter: () => void }} options
 */
export function createSearch({ query, onChange, onEnter }) {
  const field = h('input', {
    type: 'search',
    id: 'search',
    placeholder: 'Search prompts, names, ids',
    'aria-label': 'Search prompts, names, ids',
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: () => {
      query.text = field.value;
      onChange();
    },
    onkeydown: (event) => {
      if (event.key === 'Escape') leave();
      if (event.key === 'ArrowDown' || event.key === 'Enter') {
        event.preventDefault();
        onEnter();
      }
    },
  });

  function leave() {
    if (field.value === '') field.blur();
    empty();
    onChange();
  }

  function empty() {
    field.value = '';
    query.text = '';
  }

  return {
    element: h('label', { class: 'search' }, icon('search'), field, h('kbd', { 'aria-hidden': 'true' }, '/')),
    empty,
    focus() {
      field.focus();
      field.select();
    },
  };
}
