// A browser that looks at pages, and writes what it sees as small PNG files.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { PROJECT } from './processes.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
const WAITS_MS = 300_000;

export async function openCamera() {
  const executablePath = process.env.TEST_CHROMIUM || '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1_200, height: 760 }, reducedMotion: 'reduce' });
  page.setDefaultTimeout(WAITS_MS);
  /** 256 colours look the same on these pages, and take a third. */
  const keep = async (name, png) => {
    const small = await sharp(png).png({ palette: true, effort: 10, compressionLevel: 9 }).toBuffer();
    await writeFile(resolve(PROJECT, 'docs', `${name}.png`), small);
    console.error(`${name}.png: ${small.length} bytes`);
  };
  return {
    page,
    async goTo(url, height = 760) {
      await page.setViewportSize({ width: 1_200, height });
      await page.goto(url);
      await page.locator('.live[data-state=on]').waitFor();
    },
    /** Until so many items of the batch are done, by the page of all batches or by its own. */
    until: (batch, least) =>
      page.waitForFunction(
        ([selector, number]) => Number.parseInt(document.querySelector(selector)?.textContent ?? '', 10) >= number,
        [`#batch-${batch} .count b, #head .tile small`, least],
      ),
    /** Thumbnails that are in sight are loaded. */
    loaded: () =>
      page.waitForFunction(() =>
        [...document.querySelectorAll('.pictures img')].every(
          (image) => image.getBoundingClientRect().top > innerHeight || image.naturalWidth > 0,
        ),
      ),
    take: async (name) => keep(name, await page.screenshot()),
    takeOnly: async (name, selector) => keep(name, await page.locator(selector).screenshot()),
    /** As a terminal would show it. */
    async takeText(name, text) {
      const shown = await browser.newPage({ viewport: { width: 1_200, height: 760 } });
      const style =
        'margin:0;display:inline-block;padding:24px 30px;background:#16171c;color:#e4e5ea;font:20px/1.43 "DejaVu Sans Mono",monospace';
      await shown.setContent(`<pre style='${style}'></pre>`);
      await shown.locator('pre').evaluate((pre, words) => {
        pre.textContent = words;
      }, text.trimEnd());
      await keep(name, await shown.locator('pre').screenshot());
      await shown.close();
    },
    close: () => browser.close(),
  };
}
