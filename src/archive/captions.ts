import { createRequire } from 'node:module';
import type Sharp from 'sharp';
import type { Sharp as SharpImage } from 'sharp';
import { escapeMarkup } from '../text/escape-markup.ts';
import { type Pixels, pixelsOf, rowsOf } from './pixels.ts';

const MOST_CHARACTERS = 60;
/** Drawn at once: each drawing costs as much as some twenty lines in one. */
const AT_ONCE = 50;
/** As high and as deep as any line of the letters that are drawn at once. */
const TALL = 'Ågj|';
/** Our font has all of these, so that all lines are of one height. */
const SAME_HEIGHT = /^[\x20-\x7e\xa0-\u017f]+$/;

/** A line of text for each name, in their order; undefined where there is nothing to write. */
export async function drawCaptions(
  sharp: typeof Sharp,
  captions: readonly string[],
): Promise<readonly (Pixels | undefined)[]> {
  const lines = captions.map((caption) => caption.replace(/\p{C}/gu, '').slice(0, MOST_CHARACTERS).trim());
  const drawn = new Map<string, Pixels>();
  const like = [...new Set(lines)].filter((line) => SAME_HEIGHT.test(line));
  for (let start = 0; start < like.length; start += AT_ONCE) {
    const some = like.slice(start, start + AT_ONCE);
    const pictures = await drawTogether(sharp, some);
    for (const [index, line] of some.entries()) {
      const picture = pictures?.[index];
      if (picture) drawn.set(line, picture);
    }
  }
  for (const line of lines) {
    if (line === '' || drawn.has(line)) continue;
    const picture = await pixelsOf(captionText(sharp, line)).catch(() => undefined);
    if (picture) drawn.set(line, picture);
  }
  return lines.map((line) => drawn.get(line));
}

/** Undefined where the lines turn out to be of several heights. */
async function drawTogether(sharp: typeof Sharp, lines: readonly string[]): Promise<Pixels[] | undefined> {
  try {
    const one = await pixelsOf(captionText(sharp, TALL));
    const all = await pixelsOf(captionText(sharp, [TALL, ...lines, TALL].join('\n')));
    const pitch = (all.height - one.height) / (lines.length + 1);
    if (!Number.isInteger(pitch) || pitch < one.height) return undefined;
    return lines.map((_, index) => rowsOf(all, pitch * (index + 1), one.height));
  } catch {
    return undefined;
  }
}

function captionText(sharp: typeof Sharp, words: string): SharpImage {
  const text = `<span foreground="#57534e">${escapeMarkup(words)}</span>`;
  return sharp({ text: { text, font: 'DejaVu Sans 11', fontfile: FONT, dpi: 72, rgba: true } });
}

/** Our own font file, since the machine may have no fonts installed. */
const FONT = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');

/** Whether letters come out as letters: without its font the text is drawn as nothing, or not at all. */
export async function canWriteCaptions(): Promise<boolean> {
  const { default: sharp } = await import('sharp');
  try {
    const { channels } = await captionText(sharp, 'spring').stats();
    // The last channel is opacity: where letters are.
    return (channels.at(-1)?.max ?? 0) > 0;
  } catch {
    return false;
  }
}
