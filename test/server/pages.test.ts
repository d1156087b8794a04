import { expect, test, vi } from 'vitest';
import { html } from '../../src/server/pages/html.ts';
import { openPage } from './browser.ts';
import { itemsOf, startDeployment } from './deployment.ts';

const HOSTILE = `"><img src=x onerror=alert(1)><script>alert(1)</script>'&`;

test('markup escapes what is put into it, but for markup', () => {
  expect(html`<a title="${HOSTILE}">${[html`<b>${'<'}</b>`, ' & ', 2]}${false}${undefined}</a>`.text).toBe(
    '<a title="&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;"><b>&lt;</b> &amp; 2</a>',
  );
});

test('a page is whole without scripts, and runs none but its own', async () => {
  const deployment = await startDeployment();
  await deployment.addWorkers();
  await deployment.enqueue('spring', itemsOf('spring', 3, HOSTILE));
  await deployment.ended('spring');
  const answer = await fetch(`${deployment.url}/batches/spring`);
  const text = await answer.text();
  expect(text).toContain('3 archived');
  expect(text.match(/<img src="\/batches\/spring\/thumbs\//g)).toHaveLength(3);
  expect(text).not.toContain('<img src=x');
  expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'nonce-[^']+'/);
});

test('thumbs and images come through the server, by ids of ours only', async () => {
  const deployment = await startDeployment();
  await deployment.addWorkers();
  const [item = { id: '' }] = itemsOf('spring', 1);
  await deployment.enqueue('spring', itemsOf('spring', 1));
  await deployment.ended('spring');
  const thumb = await fetch(`${deployment.url}/batches/spring/thumbs/${item.id}`);
  expect([thumb.status, thumb.headers.get('content-type')]).toEqual([200, 'image/webp']);
  const image = await fetch(`${deployment.url}/batches/spring/images/${item.id}`);
  expect([image.status, image.headers.get('content-type')]).toEqual([200, 'image/png']);
  for (const path of [
    'spring/thumbs/nobody',
    'spring/thumbs/..%2f..%2fbatch',
    '..%2f/thumbs/a',
    '.x/images/a',
    'autumn',
  ]) {
    expect((await fetch(`${deployment.url}/batches/${path}`)).status).toBe(404);
  }
});

test('all images of a task are on the page, and come through the server by their numbers', async () => {
  const deployment = await startDeployment();
  await deployment.addWorkers();
  const [one] = itemsOf('spring', 1);
  if (!one) throw new Error('Expected an item');
  const parameters = { max_images: 3 };
  const model = 'bytedance/seedream-v4-text-to-image';
  const request = { provider: 'kie-jobs' as const, prompt: 'A kite', model, parameters };
  await deployment.enqueue('spring', [{ ...one, request }]);
  await deployment.ended('spring');
  const text = await (await fetch(`${deployment.url}/batches/spring`)).text();
  expect(text.match(/<img src="[^"]+"/g)).toEqual(
    ['', '_2', '_3'].map((which) => `<img src="/batches/spring/thumbs/${one.id}${which}"`),
  );
  const bodies = new Set<string>();
  for (const which of ['', '_1', '_2', '_3']) {
    const thumb = await fetch(`${deployment.url}/batches/spring/thumbs/${one.id}${which}`);
    expect([which, thumb.status]).toEqual([which, 200]);
    const image = await fetch(`${deployment.url}/batches/spring/images/${one.id}${which}`);
    expect([which, image.status, image.headers.get('content-type')]).toEqual([which, 200, 'image/png']);
    bodies.add(await image.text());
  }
  expect(bodies.size).toBe(3);
  for (const which of ['_4', '_0', '_02', '_2_2', '_x'])
    expect((await fetch(`${deployment.url}/batches/spring/images/${one.id}${which}`)).status).toBe(404);
});

test('in a browser the batches go on by themselves', async () => {
  const deployment = await startDeployment();
  const { page, complaints } = await openPage();
  await page.goto(deployment.url);
  expect(await page.textContent('main')).toContain('No batches yet');
  await deployment.enqueue('spring', itemsOf('spring', 4));
  await page.getByRole('link', { name: 'spring' }).waitFor();
  await page.getByText('4 queued').waitFor();
  await deployment.addWorkers();
  await page.getByText('4 archived').waitFor();
  await page.getByText('done', { exact: true }).waitFor();
  expect(complaints).toEqual([]);
});

test('in a browser pictures land one by one, failures are told, and focus and opened details stay', async () => {
  const deployment = await startDeployment({ simulator: { faults: [{ name: 'flag-3', times: 1 }] } });
  const { page, complaints } = await openPage({ viewport: { width: 390, height: 800 } });
  await deployment.addWorkers();
  await deployment.enqueue('spring', itemsOf('spring', 3));
  await deployment.ended('spring');
  await page.goto(`${deployment.url}/batches/spring`);
  await vi.waitFor(async () => {
    const widths = await page
      .locator('.pictures img')
      .evaluateAll((images) => images.map((image) => ('naturalWidth' in image ? image.naturalWidth : 0)));
    expect(widths).toHaveLength(2);
    for (const width of widths) expect(width).toBeGreaterThan(0);
  });
  const summary = page.locator('summary');
  expect(await summary.textContent()).toContain('1 × generation-failed');
  await summary.click();
  await summary.focus();
  await page
    .locator('.pictures li')
    .first()
    .evaluate((shown) => shown.setAttribute('data-same', 'yes'));

  await deployment.enqueue('spring', [...itemsOf('spring', 3), ...itemsOf('spring', 2, 'a plum')]);
  await vi.waitFor(async () => expect(await page.locator('.pictures img').count()).toBe(4));
  expect(await page.locator('[data-same]').count()).toBe(1);
  expect(await page.locator('details[open]').count()).toBe(1);
  expect(await page.evaluate('document.activeElement.id')).toContain('open-failed');
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(complaints).toEqual([]);
});

test('it closes while pages are open', async () => {
  const deployment = await startDeployment();
  const events = await fetch(`${deployment.url}/events`);
  const reader = events.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('retry:');
  await deployment.connections.closers.closeAll();
  await expect(fetch(deployment.url)).rejects.toThrow();
});
