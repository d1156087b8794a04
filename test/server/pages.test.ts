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
