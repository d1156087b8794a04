import { createRequire } from 'node:module';
import sharp, { type OverlayOptions } from 'sharp';
import type { Generate } from '../parameters.ts';
import { scenery } from './scenery.ts';
import type { Size } from './size.ts';

// Our own font files, since the machine may have no fonts installed.
const fonts = createRequire(import.meta.url);
const BOLD = { font: 'DejaVu Sans Bold', fontfile: fonts.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf') };
const BOOK = { font: 'DejaVu Sans', fontfile: fonts.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf') };

const LONGEST_TEXT = 320;
/** A picture with a shorter side has no room for text. */
const SMALLEST_SIDE = 120;

/** Of equal requests the how-manieth task, and of its images which. */
export type Which = { take: number; number: number };

/** Draws a landscape with the prompt on it, and the parameters in small print. */
export async function draw(request: Generate, ratio: string, which: Which, size: Size): Promise<Buffer> {
  const hasRoom = Math.min(size.width, size.height) >= SMALLEST_SIDE;
  const layers = hasRoom ? await lettering(request, ratio, which, size) : [];
  const picture = sharp(Buffer.from(scenery(request.prompt, which.take + 100 * (which.number - 1), size)))
    .composite(layers)
    .removeAlpha();
  return request.outputFormat === 'png'
    ? picture.png({ compressionLevel: 6 }).toBuffer()
    : picture.jpeg({ quality: 86 }).toBuffer();
}

async function lettering(request: Generate, ratio: string, which: Which, size: Size): Promise<OverlayOptions[]> {
  const margin = Math.round(Math.min(size.width, size.height) * 0.06);
  const smallPx = Math.max(8, Math.round(Math.sqrt(size.width * size.height) * 0.022));
  const box = { width: size.width - 2 * margin, height: Math.round(size.height * 0.6) };

  const details = await text(smallPrint(request, ratio, which), BOOK, smallPx, '#ffffffc8', box.width);
  const prompt = await fitted(clip(request.prompt, LONGEST_TEXT), box);
  const detailsTop = size.height - margin - details.height;
  const promptTop = Math.max(0, detailsTop - Math.round(smallPx * 0.9) - prompt.height);
  const mark = request.watermark
    ? await text(clip(request.watermark, 40), BOLD, smallPx, '#ffffff99', box.width)
    : null;
  return [
    { input: prompt.shadow, left: margin, top: promptTop },
    { input: prompt.white, left: margin, top: promptTop },
    { input: details.data, left: margin, top: detailsTop },
    ...(mark ? [{ input: mark.data, left: size.width - margin - mark.width, top: margin }] : []),
  ];
}

function smallPrint({ model, inputImage }: Generate, ratio: string, { take, number }: Which): string {
  const source = inputImage === undefined ? [] : [`edited from ${clip(inputImage.replace(/^https?:\/\//, ''), 48)}`];
  return [
    model,
    ratio,
    ...(take > 1 ? [`take ${take}`] : []),
    ...(number > 1 ? [`image ${number}`] : []),
    ...source,
    'simulated',
  ].join('  ·  ');
}

type Box = { width: number; height: number };

/** Renders the text as large as looks good, and smaller if it does not fit. */
async function fitted(words: string, box: Box) {
  const area = box.width * box.height;
  const largest = Math.sqrt(area) * 0.11;
  let px = Math.max(9, Math.min(largest, Math.sqrt((area * 0.42) / Math.max(1, words.length)) * 1.1));
  let white = await text(words, BOLD, px, '#ffffff', box.width);
  while ((white.height > box.height || white.width > box.width) && px > 7) {
    px *= 0.85;
    white = await text(words, BOLD, px, '#ffffff', box.width);
  }
  // If it is too long even at the smallest size, it is cut: a layer must lie inside the picture.
  const inside = {
    left: 0,
    top: 0,
    width: Math.min(white.width, box.width),
    height: Math.min(white.height, box.height),
  };
  const cut = await sharp(white.data).extract(inside).png().toBuffer();
  const shadow = await sharp(cut).negate({ alpha: false }).blur(2.2).png().toBuffer();
  return { white: cut, shadow, height: inside.height };
}

async function text(
  words: string,
  face: { font: string; fontfile: string },
  px: number,
  colour: string,
  width: number,
) {
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="${colour}">${markup(words)}</span>`,
      font: `${face.font} ${px.toFixed(1)}`,
      fontfile: face.fontfile,
      width: Math.round(width),
      // At 72 dpi, a point is a pixel.
      dpi: 72,
      rgba: true,
      wrap: 'word-char',
    },
  })
    .png()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Escapes the user's text for Pango markup. An unescaped character is an error there, and so is a control character. */
function markup(words: string): string {
  return words
    .replace(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function clip(words: string, most: number): string {
  const flat = words.trim().replace(/\s+/g, ' ');
  // The text renderer fails for text without visible characters.
  if (/^[\p{C}\s]*$/u.test(flat)) return '–';
  const letters = Array.from(flat);
  return letters.length <= most ? flat : `${letters.slice(0, most - 1).join('')}…`;
}
