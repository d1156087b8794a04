/** @typedef {string | Node | null | undefined | false} Child */

/**
 * Creates an element with attributes, listeners (`onclick`) and children. Strings become text nodes, so that markup in
 * a prompt is never interpreted.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | undefined | ((event: any) => void)>} [attributes]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * Text from a user. `bdi` isolates it: its writing direction does not affect the text beside it.
 *
 * @param {string} text
 * @returns {HTMLElement}
 */
export function userText(text) {
  return h('bdi', {}, text);
}

const ICONS = {
  close: 'M6 6l12 12M18 6L6 18',
  previous: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.5 16.5L20 20',
  compare: 'M4 5h7v14H4zM13 5h7v14h-7z',
  open: 'M14 5h5v5M19 5l-8 8M10 6H6a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-4',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  down: 'M7 10l5 5 5-5',
  warning: 'M12 4.5l8.5 15h-17zM12 10v4.5M12 17v.3',
  hand: 'M8 5v14M16 5v14',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2',
};

/**
 * @param {keyof typeof ICONS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * A button that copies a text to the clipboard, and shows for a moment whether that worked.
 *
 * @param {string} text
 * @param {string} what
 */
export function copyButton(text, what) {
  const button = h('button', {
    type: 'button',
    class: 'icon copy',
    title: `Copy ${what}`,
    'aria-label': `Copy ${what}`,
  });
  button.append(icon('copy'));
  button.addEventListener('click', async () => {
    const done = await copyText(text);
    button.replaceChildren(icon(done ? 'check' : 'warning'));
    setTimeout(() => button.replaceChildren(icon('copy')), 1200);
  });
  return button;
}

/**
 * @param {string} text
 * @returns {Promise<boolean>}
 */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page from plain http has no `navigator.clipboard`.
    const area = h('textarea', { class: 'offstage' });
    area.value = text;
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
