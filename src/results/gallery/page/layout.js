/** @typedef {{ left: number, top: number, width: number, height: number }} Box */
/** @typedef {{ start: number, end: number, top: number, bottom: number }} Row */
/** @typedef {{ boxes: Box[], rows: Row[], height: number }} Layout */

/** Limits of the aspect ratio (width / height): a panorama must stay recognizable, and must not make its row too low. */
const [NARROWEST, WIDEST] = [0.5, 3];

/**
 * A justified layout: rows of pictures of equal height that fill the width. Each row is a little higher or lower than
 * `rowHeight`. The last row is not stretched. `caption` is the height reserved under each picture. All lengths are in
 * pixels.
 *
 * @param {readonly number[]} aspects width / height
 * @param {{ width: number, rowHeight: number, gap: number, caption: number }} room
 * @returns {Layout}
 */
export function layOut(aspects, { width, rowHeight, gap, caption }) {
  /** @type {Layout} */
  const layout = { boxes: [], rows: [], height: 0 };
  let start = 0;
  let sum = 0;
  let top = 0;
  const closeRow = (/** @type {number} */ end, /** @type {number} */ height) => {
    let left = 0;
    for (let index = start; index < end; index++) {
      const boxWidth = clamped(aspects[index] ?? 1) * height;
      layout.boxes.push({ left, top, width: boxWidth, height });
      left += boxWidth + gap;
    }
    const bottom = top + height + caption;
    layout.rows.push({ start, end, top, bottom });
    top = bottom + gap;
    start = end;
    sum = 0;
  };
  for (let index = 0; index < aspects.length; index++) {
    const aspect = clamped(aspects[index] ?? 1);
    const before = (width - (index - start - 1) * gap) / sum;
    const after = (width - (index - start) * gap) / (sum + aspect);
    // The row is full. It ends with or without this picture, whichever comes closer to `rowHeight`.
    if (sum > 0 && after < rowHeight && rowHeight / after > before / rowHeight) closeRow(index, before);
    sum += aspect;
    const height = (width - (index - start) * gap) / sum;
    if (height <= rowHeight) closeRow(index + 1, height);
  }
  if (start < aspects.length) closeRow(aspects.length, Math.min(rowHeight, width / Math.max(sum, 0.01)));
  layout.height = layout.rows.at(-1)?.bottom ?? 0;
  return layout;
}

/**
 * The rows that overlap the range from `top` to `bottom`.
 *
 * @param {readonly Row[]} rows
 * @param {number} top
 * @param {number} bottom
 * @returns {readonly Row[]}
 */
export function rowsBetween(rows, top, bottom) {
  const first = firstAfter(rows, top);
  let end = first;
  while (end < rows.length && (rows[end]?.top ?? Number.POSITIVE_INFINITY) < bottom) end++;
  return rows.slice(first, end);
}

/**
 * The index of the box that a key leads to: left and right by order, up and down to the nearest centre. Undefined for
 * other keys.
 *
 * @param {Layout} layout
 * @param {number} from
 * @param {string} key
 * @returns {number | undefined}
 */
export function neighbour({ boxes, rows }, from, key) {
  const box = boxes[from];
  if (!box) return undefined;
  if (key === 'ArrowRight') return Math.min(from + 1, boxes.length - 1);
  if (key === 'ArrowLeft') return Math.max(from - 1, 0);
  if (key === 'Home') return 0;
  if (key === 'End') return boxes.length - 1;
  const step = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0;
  const row = rows[firstAfter(rows, box.top) + step];
  if (step === 0 || !row) return undefined;
  const middle = box.left + box.width / 2;
  let best = row.start;
  for (let index = row.start; index < row.end; index++) {
    if (distance(boxes[index], middle) < distance(boxes[best], middle)) best = index;
  }
  return best;
}

/**
 * @param {Box | undefined} box
 * @param {number} middle
 */
function distance(box, middle) {
  return box ? Math.abs(box.left + box.width / 2 - middle) : Number.POSITIVE_INFINITY;
}

/**
 * Finds the first row that ends below `top`, by binary search.
 *
 * @param {readonly Row[]} rows
 * @param {number} top
 */
function firstAfter(rows, top) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.bottom ?? 0) > top) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** @param {number} aspect */
function clamped(aspect) {
  return Math.min(WIDEST, Math.max(NARROWEST, aspect));
}
