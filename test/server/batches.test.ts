import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeXlsx } from 'hucre/xlsx';
import sharp from 'sharp';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { redisInboxBudget } from '../../src/fleet/inbox-budget.ts';
import { isForeign } from '../../src/server/foreign.ts';
import { manifestOf, zipOf } from '../inbox/stand.ts';
import { openPage } from './browser.ts';
import { type Deployment, startDeployment } from './deployment.ts';

const YAML = { 'content-type': 'application/yaml' };
const ZIP = { 'content-type': 'application/zip' };
const bodySchema = z.looseObject({});

async function post(
  { url }: Pick<Deployment, 'url'>,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = YAML,
) {
  const answer = await fetch(`${url}${path}`, { method: 'POST', body, headers });
  const isJson = answer.headers.get('content-type')?.includes('json');
  const { status } = answer;
  const location = answer.headers.get('location');
  return { status, location, body: bodySchema.parse(isJson ? await answer.json() : { text: await answer.text() }) };
}

test('a request is from another site by what browsers say of it', () => {
  const host = '127.0.0.1:8787';
  expect(isForeign({ host })).toBe(false);
  expect(isForeign({ host, 'sec-fetch-site': 'same-origin', origin: 'https://proxy.example' })).toBe(false);
  expect(isForeign({ host, origin: `http://${host}` })).toBe(false);
  expect(isForeign({ host, 'sec-fetch-site': 'cross-site' })).toBe(true);
  expect(isForeign({ host, 'sec-fetch-site': 'same-site' })).toBe(true);
  expect(isForeign({ host, origin: 'https://evil.example' })).toBe(true);
  expect(isForeign({ host, origin: 'null' })).toBe(true);
});

test('a manifest that is posted is planned, then made, once for each Idempotency-Key', async () => {
  const stand = await startDeployment();
  await stand.addWorkers();
  const manifest = manifestOf('posted', ['A pear', 'A plum']);
  const plan = await post(stand, '/plans', manifest);
  expect(plan).toMatchObject({ status: 200, body: { agree: 16, remake: false, plan: { items: 2, toMake: 2 } } });
  expect(await stand.connections.state.batches()).toEqual([]);

  const named = { ...YAML, 'idempotency-key': 'one' };
  const first = await post(stand, '/batches?agree=16', manifest, named);
  expect(first).toMatchObject({ status: 202, location: '/batches/posted', body: { batch: 'posted', submits: 2 } });
  expect(await post(stand, '/batches?agree=16', manifest, named)).toEqual(first);
  expect((await post(stand, '/batches?agree=16', manifestOf('other'), named)).status).toBe(422);
  await stand.ended('posted');
  expect(await post(stand, '/batches', manifest)).toMatchObject({ status: 202, body: { submits: 0 } });
  expect(stand.simulator.ledger().tasks.accepted).toBe(2);
});

test('what was not agreed to is not enqueued: a higher price, images made again', async () => {
  const stand = await startDeployment({ config: { CONFIRM_CREDITS: '10' } });
  await stand.addWorkers();
  const manifest = manifestOf('dear', ['A pear', 'A plum']);
  const unsaid = await post(stand, '/batches', manifest, { ...YAML, 'idempotency-key': 'dear' });
  expect(unsaid).toMatchObject({ status: 409, body: { code: 'spending-unconfirmed' } });
  expect(await stand.connections.state.batches()).toEqual([]);
  expect((await post(stand, '/batches?agree=16', manifest, { ...YAML, 'idempotency-key': 'dear' })).status).toBe(202);
  await stand.ended('dear');
  const edited = manifestOf('dear', ['A red pear', 'A plum']);
  expect(await post(stand, '/batches?agree=8', edited)).toMatchObject({
    status: 409,
    body: { code: 'remake-unconfirmed' },
  });
  expect((await post(stand, '/batches?agree=8&remake=true', edited)).status).toBe(202);
});

test('what is made counts in the day of the inboxes: refused beyond it, unless its price was agreed to', async () => {
  const stand = await startDeployment({ config: { INBOX_BUDGET_TOTAL: '0.10usd/day' } });
  expect((await post(stand, '/batches', manifestOf('one', ['A pear', 'A plum']))).status).toBe(202);
  const second = manifestOf('two', ['A fig']);
  const named = { ...YAML, 'idempotency-key': 'two' };
  expect(await post(stand, '/batches', second, named)).toMatchObject({
    status: 409,
    body: { code: 'spending-unconfirmed', message: expect.stringContaining("the day's 20 would be passed") },
  });
  expect(await stand.connections.state.batches()).toEqual(['one']);
  expect((await post(stand, '/batches?agree=8', second, named)).status).toBe(202);
  const { redis, keys, clock } = stand.connections;
  expect(await redisInboxBudget(redis, keys, clock).spentToday()).toBe(24);
});

test('mistakes, bombs, paths out of a zip, other types and other sites are refused, each by its status', async () => {
  const stand = await startDeployment();
  const bad = await post(
    stand,
    '/batches?name=bad.yaml',
    'version: 1\nbatch: bad\njobs:\n  - id: a\n    promt: A pear\n',
  );
  expect(bad).toMatchObject({ status: 422, body: { code: 'drop-refused' } });
  expect(bad.body.mistakes).toContainEqual(
    expect.objectContaining({ line: 5, column: 5, message: expect.any(String) }),
  );
  const zipped = async (files: Record<string, string | Uint8Array>) =>
    JSON.stringify(await post(stand, '/plans?name=a.zip', new Uint8Array(zipOf(files)), ZIP));
  expect(await zipped({ 'jobs.yaml': manifestOf('out'), '../evil.yaml': 'x' })).toMatch(/422.*invalid relative path/);
  expect(await zipped({ 'jobs.yaml': manifestOf('bomb'), 'a.csv': new Uint8Array(40 * 2 ** 20) })).toMatch(
    /422.*times as large/,
  );
  const outside = JSON.stringify({ version: 1, batch: 'x', include: ['/etc/passwd'] });
  expect(JSON.stringify(await post(stand, '/plans', outside))).toMatch(/422.*put it into the drop/);
  expect((await post(stand, '/plans', ' '.repeat(5 * 2 ** 20))).status).toBe(413);
  expect((await post(stand, '/plans', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(
    415,
  );
  expect(
    (await post(stand, '/batches', manifestOf('foreign'), { ...YAML, origin: 'https://evil.example' })).status,
  ).toBe(403);
  expect(await stand.connections.state.batches()).toEqual([]);
});

test('a password guards it, and the description of the API, which has both paths and their answers', async () => {
  const stand = await startDeployment({ config: { SERVE_PASSWORD: 'secret-of-the-pages' } });
  expect((await post(stand, '/batches', manifestOf('guarded'))).status).toBe(401);
  expect((await fetch(`${stand.url}/openapi.json`)).status).toBe(401);
  const authorization = `Basic ${Buffer.from('me:secret-of-the-pages').toString('base64')}`;
  expect((await post(stand, '/batches', manifestOf('guarded'), { ...YAML, authorization })).status).toBe(202);
  const answer = await fetch(`${stand.url}/openapi.json`, { headers: { authorization } });
  const operation = z.object({
    post: z.looseObject({
      requestBody: z.object({ content: z.record(z.string(), z.unknown()) }),
      responses: z.looseObject({}),
    }),
  });
  const described = z
    .object({ openapi: z.string(), paths: z.record(z.string(), operation) })
    .parse(await answer.json());
  expect(Object.keys(described.paths).sort()).toEqual(['/batches', '/plans']);
  const { requestBody, responses } = described.paths['/batches']?.post ?? {};
  expect(Object.keys(requestBody?.content ?? {})).toContain('application/zip');
  expect(Object.keys(responses ?? {})).toEqual(expect.arrayContaining(['202', '409', '422']));
});

test('in a browser a zip of a manifest, a spreadsheet and photos is planned, its price is on the button, and its pictures land', async () => {
  const stand = await startDeployment({ simulator: { pictures: 'drawn', imageSize: 256, imageBytes: 20_000 } });
  await stand.addWorkers();
  const { page, complaints } = await openPage({ viewport: { width: 1_100, height: 900 } });
  await page.goto(stand.url);

  await page.setInputFiles('#drop-file', {
    name: 'broken.yaml',
    mimeType: 'application/yaml',
    buffer: Buffer.from('version: 1\nbatch: spring\njobs:\n  - id: a\n    promt: A pear\n'),
  });
  await page.getByText('broken.yaml:5:5').waitFor();
  expect(await page.locator('#dropped').textContent()).toContain('did you mean prompt');

  await dropOnto(page, { 'spring.zip': await springZip() });
  const button = page.getByRole('button', { name: 'Make 5 pictures for 40 credits, about $0.20' });
  await button.waitFor();
  const plan = await page.locator('#dropped').textContent();
  expect(plan).toMatch(/Items5Cost40 credits/);
  expect(plan).toContain('5 files are not used by the manifest: photos/photo-1.jpg, ');
  expect(plan).toContain('A studio photo of a lamp of brass');
  expect(stand.simulator.ledger().submits.seen).toBe(0);
  await button.click();
  await page.waitForURL('**/batches/spring-photos');
  await stand.ended('spring-photos');
  await vi.waitFor(async () => expect(await page.evaluate(LOADED_PICTURES)).toBe(5));
  expect(await readdir(join(stand.folder, 'spring-photos', 'images'))).toHaveLength(5);
  expect(stand.simulator.ledger().tasks.accepted).toBe(5);
  // The browser itself says that it was refused.
  expect(complaints.filter((text) => !text.includes('422'))).toEqual([]);
});

test('in a browser a folder, and several files at once, are told to be zipped', async () => {
  const stand = await startDeployment();
  const { page, complaints } = await openPage();
  await page.goto(stand.url);
  const said = page.locator('#dropped');
  await dropOnto(page, { 'jobs.yaml': Buffer.from(manifestOf('loose')), 'rows.csv': Buffer.from('a\n1\n') });
  await expect.poll(() => said.textContent()).toContain('jobs.yaml: came with 1 other file; zip them together');

  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-dropped-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const devtools = await page.context().newCDPSession(page);
  const box = await page.locator('#zone').boundingBox();
  const at = { x: (box?.x ?? 0) + 20, y: (box?.y ?? 0) + 20 };
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await devtools.send('Input.dispatchDragEvent', { type, ...at, data });
  }
  await expect.poll(() => said.textContent()).toContain('is a folder; zip it');
  expect(complaints).toEqual([]);
});

const LOADED_PICTURES = `Array.from(document.querySelectorAll('.pictures img')).filter((image) => image.complete && image.naturalWidth > 0).length`;

/** As a hand drops it: with a DataTransfer that has the files. */
async function dropOnto(
  page: Awaited<ReturnType<typeof openPage>>['page'],
  contents: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  const files = Object.entries(contents).map(([name, content]) => [name, Buffer.from(content).toString('base64')]);
  const data = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer();
    for (const [name, base64] of ${JSON.stringify(files)}) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    return transfer;
  })()`);
  await page.dispatchEvent('#zone', 'drop', { dataTransfer: data });
}

async function springZip(): Promise<Uint8Array> {
  // As heavy as photos are.
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  const photo = await sharp({ create: { width: 1_200, height: 900, channels: 3, background: '#888', noise } })
    .jpeg()
    .toBuffer();
  const photos = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`photos/photo-${number}.jpg`, photo]));
  const rows = [
    ['sku', 'product'],
    ['lamp', 'a lamp of brass'],
    ['chair', 'a chair of oak'],
    ['vase', 'a blue vase with tulips'],
    ['clock', 'a clock of walnut'],
    ['table', 'a round table for two'],
  ];
  const products = await writeXlsx({ sheets: [{ name: 'Products', rows }] });
  const manifest = JSON.stringify({
    version: 1,
    batch: 'spring-photos',
    defaults: { aspectRatio: '1:1' },
    jobs: [{ id: '{{ sku }}', prompt: 'A studio photo of {{ product }}', rows: 'products.xlsx' }],
  });
  return zipOf({ 'jobs.yaml': manifest, 'products.xlsx': products, ...photos });
}
