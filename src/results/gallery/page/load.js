/** @typedef {import('../gallery-data.ts').GalleryHead} GalleryHead */
/** @typedef {import('../gallery-data.ts').GalleryItem} GalleryItem */

/** At most so many parts are held in memory. A larger batch is shown section by section. */
const PARTS_IN_SECTION = 20;

/** @returns {GalleryHead} */
export function readHead() {
  return JSON.parse(document.getElementById('data')?.textContent ?? '{}');
}

/**
 * The sections of a batch with their labels. A batch that fits into memory has one section.
 *
 * @param {GalleryHead} head
 * @returns {{ label: string, first: number, end: number, items: number }[]}
 */
export function sectionsOf({ parts }) {
  const sections = [];
  for (let first = 0; first < Math.max(1, parts.length); first += PARTS_IN_SECTION) {
    const within = parts.slice(first, first + PARTS_IN_SECTION);
    const items = within.reduce((sum, part) => sum + part.items, 0);
    const label = `${within[0]?.from ?? ''} – ${within.at(-1)?.to ?? ''}`;
    sections.push({ label, first, end: first + within.length, items });
  }
  return sections;
}

/**
 * Yields the items of a section part by part. Parts are scripts, since a page opened from disk cannot fetch.
 *
 * @param {GalleryHead} head
 * @param {{ first: number, end: number }} section
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<GalleryItem[]>}
 */
export async function* loadSection(head, { first, end }, signal) {
  if (head.parts.length === 0) yield head.items.flatMap(cardsOf);
  for (let index = first; index < end; index++) {
    const file = head.parts[index]?.file;
    if (file === undefined || signal.aborted) return;
    yield (await loadPart(file, index)).flatMap(cardsOf);
  }
}

/**
 * One card for each image, in the order of the task's answer.
 *
 * @param {GalleryItem} item
 * @returns {GalleryItem[]}
 */
function cardsOf({ more = [], ...item }) {
  const others = more.map(({ number, ...picture }) => ({ ...item, id: `${item.id}_${number}`, number, picture }));
  return [item, ...others];
}

/**
 * @param {string} file
 * @param {number} index
 * @returns {Promise<GalleryItem[]>}
 */
function loadPart(file, index) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    /** @type {GalleryItem[]} */
    let arrived = [];
    Object.assign(window, {
      fluxBatchPart: (/** @type {number} */ number, /** @type {GalleryItem[]} */ items) => {
        if (number === index) arrived = items;
      },
    });
    script.src = file;
    script.onload = () => {
      script.remove();
      resolve(arrived);
    };
    script.onerror = () => reject(new Error(`${file} could not be loaded`));
    document.head.append(script);
  });
}
