import sharp from 'sharp';
import { type Answer, page } from '../answer.ts';
import type { IMAGE_FAULTS } from '../faults.ts';
import { type Format, stamped } from './segments.ts';

/** More than the 48 MB that our client accepts. */
const HUGE_BYTES = 49 * 1024 * 1024;

/** Applies a fault to a good answer. */
export async function withImageFault(
  fault: (typeof IMAGE_FAULTS)[number],
  good: Answer & { body: Buffer },
  format: Format,
  { url, stallMs, comment }: { url: URL; stallMs: number; comment: string },
): Promise<Answer> {
  switch (fault) {
    case 'image-cut':
      return { ...good, sendFault: 'cut' };
    case 'image-short':
      return { ...good, body: good.body.subarray(0, Math.ceil(good.body.length / 2)) };
    case 'image-long':
      return { ...good, body: Buffer.concat([good.body, Buffer.from('<!-- and one more thing -->\n'.repeat(100))]) };
    case 'image-empty':
      return { ...good, body: Buffer.alloc(0) };
    case 'image-html':
      return page(200, 'Sign in to see this image');
    case 'image-wrong-format': {
      const other = format === 'png' ? 'jpeg' : 'png';
      return { ...good, body: stamped(await sharp(good.body).toFormat(other).toBuffer(), other, comment) };
    }
    case 'image-huge':
      return { ...good, body: Buffer.concat([good.body, Buffer.alloc(HUGE_BYTES)]), sendFault: 'unsized' };
    case 'image-redirect':
      return redirect(`${url.pathname}?redirected=1`);
    case 'image-redirect-inside':
      // The address where clouds serve a machine's credentials.
      return redirect('http://169.254.169.254/latest/meta-data/');
    case 'image-stall':
      return { ...good, sendFault: 'stall', delayMs: stallMs };
    case 'image-500':
      return { status: 500, headers: { 'content-type': 'text/plain' }, body: 'Internal Server Error' };
  }
}

function redirect(location: string): Answer {
  return { status: 302, headers: { location }, body: '' };
}
