import type { Page } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { startServer } from '../../src/server/server.ts';
import { openServing } from '../../src/server/serving.ts';
import { snapshotReader } from '../../src/status/snapshot.ts';
import { snapshotJson } from '../../src/status/snapshot-json.ts';
import { BATCH } from '../batch/rig.ts';
import { jobs, type LaneOf, startLanes } from '../workers/lanes-crew.ts';
import { openPage } from './browser.ts';
import { startDeployment } from './deployment.ts';

const ACCOUNTS: readonly LaneOf[] = [
  { name: 'main', key: 'KIE_API_KEY', simulator: { credits: 5_000 }, limits: { rate: '400/10s' } },
  { name: 'second', key: 'SECOND_KEY', simulator: { credits: 700 }, limits: { share: 0.5 } },
  { name: 'direct', provider: 'bfl', key: 'BFL_API_KEY', simulator: { credits: 300 }, limits: { concurrency: 24 } },
];

async function serveLanes(lanes = ACCOUNTS) {
  const crew = await startLanes(lanes);
  const serving = await openServing(crew.connections);
  const server = await startServer(serving, { host: '127.0.0.1', port: 0 });
  crew.connections.closers.push(() => server.close());
  return { ...crew, url: server.url, metrics: async () => (await fetch(`${server.url}/metrics`)).text() };
}

const rowOf = (page: Page, lane: string) => page.locator(`#lane-${lane}`);
const isWithinItsWidth = (page: Page) => page.evaluate('document.documentElement.scrollWidth <= innerWidth');
const looked = z.object({
  lanes: z.array(z.object({ name: z.string(), credits: z.object({ left: z.number() }).nullable(), share: z.number() })),
});

test('the pages show each account as status does, and live: what it has left, its limits, and why it is closed', async () => {
  const crew = await serveLanes();
  const { page, complaints } = await openPage({ viewport: { width: 1_200, height: 800 } });
  await page.goto(crew.url);
  expect(await page.locator('#lanes tbody tr').count()).toBe(3);
  await vi.waitFor(async () => expect(await page.locator('#lanes').textContent()).not.toContain('unknown'));
  expect(await rowOf(page, 'main').textContent()).toMatch(/main kie open0 of 400 in 10s.*0 of 1,0005,0001none$/);
  expect(await rowOf(page, 'second').textContent()).toMatch(/second kie open.*7000\.5none$/);
  expect(await rowOf(page, 'direct').textContent()).toMatch(/direct bfl open.*0 of 243001none$/);

  const tiles = await page.locator('#fleet').textContent();
  expect(tiles).toContain('Submits in the window0 of 400in 10s0 of 410in 1s');
  expect(tiles).toContain('Running at the provider0of 2,024 tasks');

  const json = looked.parse(snapshotJson(await snapshotReader(crew.connections)(undefined)));
  expect(json.lanes.map(({ name, credits, share }) => [name, credits?.left, share])).toEqual([
    ['main', 5_000, 1],
    ['second', 700, 0.5],
    ['direct', 300, 1],
  ]);

  const second = crew.connections.lanes.find(({ lane }) => lane.name === 'second');
  await second?.state.tripBreaker({ refusal: 'out-of-credits', message: 'top up' });
  await rowOf(page, 'second').getByText('closed: out-of-credits').waitFor();
  await second?.state.resetBreaker();
  await rowOf(page, 'second').getByText('open', { exact: true }).waitFor();

  await crew.enqueue([
    ...jobs(8),
    ...jobs(4, { provider: 'bfl', model: 'flux-2-pro' }).map((job, at) => ({ ...job, id: `b-${at}` })),
  ]);
  await crew.work();
  await crew.ended();
  await page.goto(`${crew.url}/batches/${BATCH}`);
  expect(await page.locator('#lanes tbody tr').count()).toBe(3);
  expect(complaints).toEqual([]);
});

test('at 400 px the accounts stand one below the other, and in dark and light their words can be read', async () => {
  const crew = await serveLanes();
  await crew.connections.lanes[1]?.state.tripBreaker({ refusal: 'unauthorized', message: 'no' });
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, complaints } = await openPage({ viewport: { width: 400, height: 900 }, colorScheme });
    await page.goto(crew.url);
    await page.locator('.live[data-state=on]').waitFor();
    expect(await isWithinItsWidth(page)).toBe(true);
    const cells = page.locator('#lane-second td');
    for (const cell of await cells.all()) {
      const box = await cell.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(400);
    }
    expect(await page.locator('#lane-second .chip').textContent()).toBe('closed: unauthorized');
    expect(await contrastOf(page, '#lane-second td')).toBeGreaterThan(4.5);
    expect(await contrastOf(page, '#lane-second small')).toBeGreaterThan(4.5);
    await page.setViewportSize({ width: 1_200, height: 800 });
    expect(await isWithinItsWidth(page)).toBe(true);
    expect(complaints).toEqual([]);
  }
});

test('one account needs no table', async () => {
  const { url } = await startDeployment();
  const page = await (await fetch(url)).text();
  expect(page).toContain('<section id="lanes"></section>');
  expect(page).not.toContain('Accounts');
});

/** Of text on the card that it is on, by WCAG. In the browser's own words, which the compiler does not know here. */
async function contrastOf(page: Page, selector: string): Promise<number> {
  const luminance = `(color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }`;
  const contrast = await page.evaluate(`(() => {
    const luminance = ${luminance};
    const element = document.querySelector('${selector}');
    const text = luminance(getComputedStyle(element).color);
    const ground = luminance(getComputedStyle(element.closest('.card')).backgroundColor);
    return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
  })()`);
  return z.number().parse(contrast);
}
