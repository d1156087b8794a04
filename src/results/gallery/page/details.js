import { copyButton, h, icon, userText } from './dom.js';
import { bytesText, durationText, failureName, labelOf, stateName, timeText, variantName } from './words.js';

/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

/**
 * All that is known of an item, for the column beside its picture.
 *
 * @param {GalleryItem} item
 * @returns {HTMLElement[]}
 */
export function detailsOf(item) {
  const { picture, failure } = item;
  /** @type {(HTMLElement | undefined)[]} */
  const blocks = [
    h(
      'header',
      {},
      h('h2', {}, userText(item.name)),
      h(
        'p',
        { class: 'line' },
        h('span', { class: `badge ${item.state}` }, stateName(item)),
        h('span', {}, variantName(item)),
        item.take !== undefined && h('span', {}, `Take ${item.take}`),
        item.former && h('span', { class: 'badge' }, 'Former version'),
        picture && h('span', {}, `${picture.width} × ${picture.height}`),
      ),
    ),
    failure &&
      h(
        'section',
        { class: `failure ${item.state}` },
        h(
          'h3',
          {},
          icon('warning'),
          failureName(failure.class),
          failure.code !== undefined && h('code', {}, String(failure.code)),
        ),
        h('p', {}, userText(failure.message)),
        item.refused !== undefined && h('p', {}, `The bytes that came are kept in ${item.refused}`),
      ),
    item.note === undefined ? undefined : h('section', {}, h('h3', {}, 'Note'), h('p', {}, userText(item.note))),
    item.prompt === ''
      ? undefined
      : h(
          'section',
          { class: 'prompt' },
          h('h3', {}, 'Prompt', copyButton(item.prompt, 'the prompt')),
          h('p', { dir: 'auto' }, item.prompt),
        ),
    item.inputs && inputs(item.inputs),
    pairs('Variables', Object.entries(item.variables), false),
    pairs('Parameters', [
      ['model', item.model],
      ...Object.entries(item.parameters).map(([key, value]) => /** @type {const} */ ([key, String(value)])),
    ]),
    timings(item),
    picture &&
      pairs('File', [
        ['type', picture.contentType],
        ['size', bytesText(picture.bytes)],
        ['sha256', picture.sha256],
        ...(picture.note === undefined ? [] : [/** @type {const} */ (['note', picture.note])]),
      ]),
    pairs('Ids', [
      ['item', item.id],
      ...(item.taskId === undefined ? [] : [/** @type {const} */ (['task', item.taskId])]),
      ['submits', String(item.attempts)],
    ]),
  ];
  return blocks.filter((block) => block !== undefined);
}

/** @param {readonly string[]} paths */
function inputs(paths) {
  const pictures = paths.map((path) => {
    const picture = h('img', { src: path, loading: 'lazy', alt: 'A picture that it was made from' });
    picture.addEventListener('error', () => picture.replaceWith(h('p', {}, 'It is not beside this page.')));
    return h('a', { href: path }, picture);
  });
  return h('section', { class: 'inputs' }, h('h3', {}, 'Made from'), ...pictures);
}

const COPIED = ['item', 'task', 'sha256'];

/**
 * @param {string} title
 * @param {readonly (readonly [string, string])[]} entries
 * @param {boolean} ours whether the keys are our own names, which are shown as labels
 */
function pairs(title, entries, ours = true) {
  if (entries.length === 0) return undefined;
  const list = h('dl');
  for (const [key, value] of entries) {
    const copied = ours && COPIED.includes(key);
    const text = userText(value);
    if (copied) text.className = 'mono';
    list.append(
      h('dt', {}, ours && key !== 'sha256' ? labelOf(key) : userText(key)),
      h('dd', { title: value }, text, copied && copyButton(value, key === 'sha256' ? 'the sha256' : `the ${key} id`)),
    );
  }
  return h('section', {}, h('h3', {}, title), list);
}

/** The phases of an item, each by the time that ends it. */
const PHASES = /** @type {const} */ ([
  ['submitted', 'Waiting'],
  ['completed', 'Generating'],
  ['discovered', 'Noticing'],
  ['archived', 'Archiving'],
]);

/** @param {GalleryItem} item */
function timings({ times }) {
  if (times.queued === undefined) return undefined;
  let last = Date.parse(times.queued);
  /** @type {{ name: string, label: string, ms: number }[]} */
  const phases = [];
  for (const [name, label] of PHASES) {
    const at = times[name];
    if (at === undefined) continue;
    phases.push({ name, label, ms: Math.max(0, Date.parse(at) - last) });
    last = Math.max(last, Date.parse(at));
  }
  const total = phases.reduce((sum, { ms }) => sum + ms, 0);
  const bar = h('div', { class: 'timeline', 'aria-hidden': 'true' });
  const list = h('dl', { class: 'times' });
  for (const { name, label, ms } of phases) {
    const piece = h('i', { class: name });
    piece.style.flexGrow = String(Math.max(ms, total / 60));
    bar.append(piece);
    list.append(h('dt', {}, h('i', { class: `dot ${name}` }), label), h('dd', {}, durationText(ms)));
  }
  const [key, value] = times.archived ? ['Archived', times.archived] : ['Queued', times.queued];
  list.append(h('dt', {}, key), h('dd', {}, timeText(value)));
  return h(
    'section',
    {},
    h('h3', {}, 'Timing', total > 0 && h('span', { class: 'sum' }, durationText(total))),
    total > 0 && bar,
    list,
  );
}
