// How the gallery of a large batch behaves in a browser, for batches of 1,000 and 5,000 or of other sizes:   npm run bench:gallery -- 200
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { folderArchive } from '../src/archive/folder.ts';
import { writeIndexFiles } from '../src/results/write-index.ts';
import { archivedRecordOf } from '../test/results/sample-batch.ts';

const WORDS = 'lighthouse teapot harbour fox meadow violin market bridge orchard lantern canyon piano'.split(' ');
const COLORS = ['crimson', 'cobalt', 'jade', 'amber', 'ivory'];
const ANGLES = ['front', 'side', 'above', 'three-quarter'];
const SHAPES = [
  ['4:3', 320, 240],
  ['1:1', 320, 320],
  ['16:9', 320, 180],
  ['3:4', 240, 320],
] as const;

async function measure(size: number) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-gallery-'));
  try {
    const built = await build(folder, size);
    return { items: size, ...built, ...(await look(join(folder, 'bench', 'index.html'), size)) };
  } finally {
    if (!process.env.KEEP) await rm(folder, { recursive: true, force: true });
    else console.error(folder);
  }
}

async function build(folder: string, size: number) {
  const archive = folderArchive(folder);
  const thumbs = await Promise.all(
    Array.from({ length: 48 }, async (_, n) => {
      const [, width, height] = SHAPES[n % SHAPES.length] ?? SHAPES[0];
      const noise = { type: 'gaussian', mean: 60 + n * 3, sigma: 18 } as const;
      const grain = await sharp({ create: { width, height, channels: 3, background: 'black', noise } })
        .blur(2)
        .png()
        .toBuffer();
      const tint = { r: (n * 53) % 256, g: (n * 97) % 256, b: (n * 31) % 256 };
      return sharp(grain).tint(tint).webp({ quality: 80 }).toBuffer();
    }),
  );
  const records = Array.from({ length: size }, (_, n) => {
    const [word, color, angle] = [WORDS[n % 12] ?? '', COLORS[(n >> 3) % 5] ?? '', ANGLES[n % 4] ?? ''];
    const [aspectRatio, width, height] = SHAPES[n % SHAPES.length] ?? SHAPES[0];
    const prompt = `A ${color} ${word}, ${angle} view, number ${n}, on a linen cloth beside an open window, soft morning light`;
    const request = { prompt, model: 'flux-kontext-pro', outputFormat: 'png', aspectRatio } as const;
    const record = archivedRecordOf('bench', {
      name: `${word}-${color}-${n >> 2}`,
      variant: (n & 3) + 1,
      variables: { word, color, angle },
      request,
    });
    return { ...record, width: width * 3, height: height * 3, bytes: 900_000, sha256: 'a'.repeat(64) };
  });
  // A file of its own for each, as the browser would have to fetch it.
  for (const [n, record] of records.entries()) {
    const thumb = thumbs[n % thumbs.length];
    if (thumb) await archive.write(record.thumb, thumb, { contentType: 'image/webp' });
  }
  const start = performance.now();
  await writeIndexFiles('bench', eachOf(records), { archive, folder: 'bench/' });
  return { indexMs: Math.round(performance.now() - start) };
}

async function look(path: string, size: number) {
  const browser = await chromium.launch({
    executablePath: process.env.TEST_CHROMIUM || '/usr/bin/chromium',
    args: FLAGS,
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript(`new MutationObserver((_, observer) => {
      if (!document.querySelector('.frame.loaded img')) return;
      observer.disconnect();
      requestAnimationFrame(() => { window.firstPictureMs = performance.now(); });
    }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] })`);
    await page.goto(pathToFileURL(path).href);
    await page.waitForFunction(
      `document.querySelector('.shown')?.textContent === '${size.toLocaleString('en-US')} items'`,
    );
    const allMs = await page.evaluate<number>('performance.now()');
    await page.waitForFunction('window.firstPictureMs');
    const firstPictureMs = await page.evaluate<number>('window.firstPictureMs');
    const search = await timed(page, SEARCH);
    const searchScript = await timed(page, SEARCH, true);
    const filter = await timed(page, FILTER);
    const filterScript = await timed(page, FILTER, true);
    const scroll = await scrolled(page);
    const tiles = await page.locator('.tile').count();
    const heapMb = Math.round((await page.evaluate<number>('performance.memory.usedJSHeapSize')) / 1e6);
    return {
      firstPictureMs: Math.round(firstPictureMs),
      allItemsMs: Math.round(allMs),
      searchMs: search,
      searchScriptMs: searchScript,
      filterMs: filter,
      filterScriptMs: filterScript,
      scroll,
      tiles,
      heapMb,
    };
  } finally {
    await browser.close();
  }
}

/** Frame times, and of the browser's own count what each frame took of the page's thread: on a busy machine the two differ. */
async function scrolled(page: Page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const counted = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const seconds = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return { script: seconds('ScriptDuration'), layout: seconds('LayoutDuration') + seconds('RecalcStyleDuration') };
  };
  const before = await counted();
  const frames = await page.evaluate<{ frames: number; p95Ms: number; worstMs: number }>(SCROLL);
  const after = await counted();
  const each = (key: 'script' | 'layout') => Number((((after[key] - before[key]) * 1000) / frames.frames).toFixed(1));
  return { ...frames, scriptMsPerFrame: each('script'), layoutMsPerFrame: each('layout') };
}

/** From the input to the next frame drawn, the median of several. */
async function timed(page: Page, action: string, scriptOnly = false): Promise<number> {
  const times: number[] = await page.evaluate(`(async () => {
    const scriptOnly = ${scriptOnly};
    const times = [];
    for (let n = 0; n < 12; n++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const start = performance.now();
      ${action}
      if (scriptOnly) { times.push(performance.now() - start); continue; }
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      times.push(performance.now() - start);
    }
    return times;
  })()`);
  return Math.round(times.sort((a, b) => a - b)[times.length >> 1] ?? 0);
}

const SEARCH = `const box = document.querySelector('#search');
  box.value = n % 2 ? '' : 'crimson light';
  box.dispatchEvent(new Event('input'));`;
const FILTER = `[...document.querySelectorAll('.panel')].at(-1).querySelector('input').click();`;

/** A third of a screen each frame, faster than anyone looks. */
const SCROLL = `(async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  let last = await frame();
  for (let n = 0; n < 300; n++) {
    scrollBy(0, innerHeight / 3);
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  times.sort((a, b) => a - b);
  return { frames: times.length, p95Ms: Math.round(times[Math.floor(times.length * 0.95)]), worstMs: Math.round(times.at(-1)) };
})()`;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

async function* eachOf<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

const sizes = process.argv.slice(2).map(Number);
for (const size of sizes.length > 0 ? sizes : [1_000, 5_000]) console.log(JSON.stringify(await measure(size)));
