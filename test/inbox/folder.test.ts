import { once } from 'node:events';
import { appendFile, mkdir, readdir, rename, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { DropPlace } from '../../src/archive/drops.ts';
import { redisInboxDrops } from '../../src/fleet/inbox-drops.ts';
import { removeLeftFolders } from '../../src/inbox/private-folder.ts';
import { startDeployment } from '../server/deployment.ts';
import { manifestOf, openFolderInbox, reportOf, reportsIn, watch, zipOf } from './stand.ts';

async function openStand() {
  const deployment = await startDeployment();
  return { ...deployment, inbox: await openFolderInbox() };
}

const accepted = (stand: Awaited<ReturnType<typeof openStand>>) => stand.simulator.ledger().tasks.accepted;

test('a manifest that is dropped is made, lies beside its report, and its end is told with a link to the gallery', async () => {
  const told: string[] = [];
  const listener = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    told.push(body);
    response.end();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const address = listener.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const deployment = await startDeployment({ config: { FLUX_NOTIFY_URL: `http://127.0.0.1:${port}/` } });
  const inbox = await openFolderInbox();
  await deployment.addWorkers();
  watch(inbox.place, deployment.connections);
  const text = manifestOf('spring', ['A pear', 'A plum']);
  await inbox.drop('spring.yaml', text);

  const first = await reportOf(inbox.place, 'accepted', 'spring.yaml');
  expect(first).toMatchObject({ batch: 'spring', plan: { items: 2, toMake: 2, credits: 16 } });
  expect(first.text).toContain('items      2');
  expect(first.text).toContain('cost       16 credits, about $0.08');
  const ended = await vi.waitFor(async () => {
    const report = await reportOf(inbox.place, 'accepted', 'spring.yaml');
    expect(report.status).toBe('ended');
    return report;
  });
  expect(ended.end).toMatchObject({ items: { archived: 2 }, credits: 16 });
  expect(ended.end?.gallery).toBe(`${deployment.folder}/spring/index.html`);
  expect(ended.text).toContain('images     2 archived');
  await vi.waitFor(() => expect(told).toHaveLength(1));
  expect(told[0]).toContain('spring: 2 of 2 images archived');
  expect(await inbox.read(`accepted/${ended.take}/spring.yaml`)).toBe(text);
  expect(await inbox.left()).toEqual([]);
});

test('a folder and a zip bring their rows, and odd files are left alone', async () => {
  const stand = await openStand();
  const rows = 'subject\npear\nplum\n';
  const manifest = (batch: string) =>
    JSON.stringify({ version: 1, batch, jobs: [{ id: '{{ subject }}', prompt: 'A {{ subject }}', rows: 'rows.csv' }] });
  for (const odd of ['.DS_Store', 'Thumbs.db', '~lock', '.~lock.rows.ods#', 'later.zip.part', 'desktop.ini']) {
    await stand.inbox.drop(odd, 'x');
  }
  watch(stand.inbox.place, stand.connections);
  const files = { 'jobs.yaml': manifest('folder'), 'rows.csv': rows, '.DS_Store': 'x', 'photos/pear.jpg': 'x' };
  await stand.inbox.dropFolder('in-a-folder', files);
  await stand.inbox.drop(
    'zipped.zip',
    zipOf({ 'top/jobs.yaml': manifest('zip'), 'top/rows.csv': rows, '__MACOSX/._x': 'x' }),
  );
  const folder = await reportOf(stand.inbox.place, 'accepted', 'in-a-folder');
  expect(folder.plan).toMatchObject({ batch: 'folder', items: 2 });
  expect(folder.text).toMatch(/^note {7}1 file is not used by the manifest: photos\/pear\.jpg/m);
  const zip = await reportOf(stand.inbox.place, 'accepted', 'zipped.zip');
  expect(zip.plan).toMatchObject({ batch: 'zip', items: 2, notes: [] });
  await vi.waitFor(async () =>
    expect((await stand.inbox.left()).sort()).toEqual(
      ['.DS_Store', '.~lock.rows.ods#', 'Thumbs.db', 'desktop.ini', 'later.zip.part', '~lock'].sort(),
    ),
  );
  expect(await reportsIn(stand.inbox.place, 'rejected')).toEqual(new Map());
});

test('every mistake is told with its line, and what is no manifest once', async () => {
  const stand = await openStand();
  watch(stand.inbox.place, stand.connections);
  await stand.inbox.drop('bad.yaml', 'version: 1\nbatch: bad\njobs:\n  - id: a\n    promt: A pear\n');
  await stand.inbox.drop('rows.csv', 'subject\npear\n');
  const bad = await reportOf(stand.inbox.place, 'rejected', 'bad.yaml');
  expect(bad.mistakes).toContainEqual(expect.objectContaining({ file: 'bad.yaml', line: 5, column: 5 }));
  expect(bad.text).toMatch(/bad\.yaml:5:5 .*promt.*did you mean prompt/);
  const table = await reportOf(stand.inbox.place, 'rejected', 'rows.csv');
  expect(table.text).toContain('rows.csv  is not a manifest');
  await vi.waitFor(async () => expect(await stand.inbox.left()).toEqual([]));
  expect(await readdir(join(stand.inbox.folder, 'rejected'))).toHaveLength(2);
  expect(accepted(stand)).toBe(0);
});

test('a file that still grows, and a folder without rest, are waited for; a folder with .ready is not', async () => {
  const stand = await openStand();
  const text = manifestOf('slow');
  const path = join(stand.inbox.folder, 'slow.yaml');
  let written = 10;
  await writeFile(path, text.slice(0, written));
  // It has grown at each look, however long the machine lets pass between two.
  const early: string[] = [];
  const place: DropPlace = {
    ...stand.inbox.place,
    async drops(...asked) {
      if (written < text.length) {
        early.push(...taken);
        await appendFile(path, text.slice(written, written + 10));
        written += 10;
      }
      return stand.inbox.place.drops(...asked);
    },
  };
  const { taken } = watch(place, stand.connections);
  await vi.waitFor(() => expect(written).toBeGreaterThanOrEqual(text.length));
  expect(early).toEqual([]);
  await stand.inbox.dropFolder('ready', { 'jobs.yaml': manifestOf('ready'), '.ready': '' });
  expect((await reportOf(stand.inbox.place, 'accepted', 'slow.yaml')).batch).toBe('slow');
  expect((await reportOf(stand.inbox.place, 'accepted', 'ready')).batch).toBe('ready');
});

test('the same manifest again adds nothing, and neither drop is written over', async () => {
  const stand = await openStand();
  await stand.addWorkers();
  watch(stand.inbox.place, stand.connections);
  await stand.inbox.drop('spring.yaml', manifestOf('spring', ['A pear', 'A plum']));
  await vi.waitFor(async () =>
    expect((await reportOf(stand.inbox.place, 'accepted', 'spring.yaml')).status).toBe('ended'),
  );
  await stand.inbox.drop('again.yaml', manifestOf('spring', ['A pear', 'A plum']));
  const again = await reportOf(stand.inbox.place, 'accepted', 'again.yaml');
  expect(again.plan).toMatchObject({ items: 2, toMake: 0, credits: 0 });
  await stand.ended('spring');
  expect(accepted(stand)).toBe(2);
  await vi.waitFor(async () => expect(await stand.inbox.left()).toEqual([]));
  // It is moved back by hand: another drop of the same bytes under the same name.
  const [, first = ''] = (await readdir(join(stand.inbox.folder, 'accepted'))).sort();
  await rename(join(stand.inbox.folder, 'accepted', first, 'again.yaml'), join(stand.inbox.folder, 'again.yaml'));
  await vi.waitFor(async () => expect(await readdir(join(stand.inbox.folder, 'accepted'))).toHaveLength(3));
  await vi.waitFor(async () => expect(await stand.inbox.left()).toEqual([]));
  expect(accepted(stand)).toBe(2);
});

test('an edit that makes more than a fifth anew waits, costs nothing, and is made once it is approved', async () => {
  const stand = await openStand();
  await stand.addWorkers();
  watch(stand.inbox.place, stand.connections);
  await stand.inbox.drop('spring.yaml', manifestOf('spring', ['A pear', 'A plum']));
  await stand.ended('spring').catch(() => undefined);
  await vi.waitFor(() => expect(accepted(stand)).toBe(2));
  await stand.ended('spring');
  await stand.inbox.drop('spring.yaml', manifestOf('spring', ['A red pear', 'A plum']));
  const waiting = await reportOf(stand.inbox.place, 'waiting', 'spring.yaml');
  expect(waiting.why).toContain('1 of 2 archived images would be made, and paid for, again');
  expect(waiting.text).toContain('flux-batch inbox approve spring');
  expect(accepted(stand)).toBe(2);
  const { redis, keys } = stand.connections;
  const drops = redisInboxDrops(redis, keys);
  const [drop] = await vi.waitFor(async () => {
    const all = await drops.waiting();
    expect(all).toHaveLength(1);
    return all;
  });
  if (drop) await drops.approve(drop);
  await vi.waitFor(() => expect(accepted(stand)).toBe(3));
  await vi.waitFor(async () =>
    expect((await reportOf(stand.inbox.place, 'accepted', 'spring.yaml')).plan?.toMake).toBe(1),
  );
  await vi.waitFor(async () => expect(await readdir(join(stand.inbox.folder, 'waiting'))).toEqual([]));
  await vi.waitFor(async () => expect(await drops.waiting()).toEqual([]));
});

test('models of your own are known; while their file cannot be read a drop stays where it is, and is not to blame', async () => {
  const inbox = await openFolderInbox();
  const models = join(inbox.folder, '.models.json');
  await writeFile(models, '{}');
  const stand = await startDeployment({ config: { FLUX_MODELS: models } });
  await writeFile(models, '{');
  const warned = vi.spyOn(stand.connections.log, 'warn');
  watch(inbox.place, stand.connections);
  await inbox.drop('own.yaml', manifestOf('own', ['A pear'], { defaults: { provider: 'bfl', model: 'flux-9' } }));
  const trouble = { reason: expect.stringContaining('Cannot read the models in') };
  await vi.waitFor(() => expect(warned).toHaveBeenCalledWith(expect.objectContaining(trouble), 'inbox'));
  expect(await inbox.left()).toContain('own.yaml');

  const bfl = { date: '2026-11-01', source: 'a test', models: { 'flux-9': { words: { seed: { type: 'whole' } } } } };
  await writeFile(models, JSON.stringify({ bfl }));
  const waiting = await reportOf(inbox.place, 'waiting', 'own.yaml');
  expect(waiting).toMatchObject({ plan: { items: 1 }, why: expect.stringContaining('a model has no price') });
});

test('folders that killed processes left are removed hours later, and none that is in use', async () => {
  const { folder } = await openFolderInbox();
  const [left, inUse, other] = ['flux-batch-drop-left', 'flux-batch-drop-in-use', 'other'].map((name) =>
    join(folder, name),
  );
  if (!left || !inUse || !other) throw new Error('three names');
  for (const path of [left, inUse, other]) await mkdir(path);
  await writeFile(join(left, 'drop.zip'), 'x');
  const longAgo = new Date(Date.now() - 7 * 3_600_000);
  for (const path of [left, other]) await utimes(path, longAgo, longAgo);
  await removeLeftFolders(folder);
  expect(await readdir(folder)).toEqual(['flux-batch-drop-in-use', 'other']);
});
