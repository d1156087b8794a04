import { mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDrops } from '../../src/archive/open-drops.ts';
import { openPlace } from '../acceptance/place.ts';
import { manifestOf, reportOf, zipOf } from './stand.ts';

const MOST_BYTES = 300 * 2 ** 20;
const LINK_ATTRIBUTES = (0o120777 << 16) >>> 0;

test('bombs, paths out of a zip, huge files and files of the machine are refused with a report, in little memory', async (context) => {
  const place = await openPlace(context);
  const folder = join(place.folder, 'drop');
  await mkdir(folder);
  const inbox = openDrops({ url: folder });
  const cli = place.start(['inbox', 'drop', '--rest', '100ms']);
  const refused = (drop: string) => reportOf(inbox, 'rejected', drop);
  const drop = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);

  const bomb = zipOf({ 'jobs.yaml': manifestOf('bomb'), 'rows.csv': new Uint8Array(40 * 2 ** 20) });
  await drop('bomb.zip', bomb);
  await drop('liar.zip', withDeclaredSize(bomb, 'rows.csv', 100));
  await drop('out.zip', zipOf({ 'jobs.yaml': manifestOf('out'), '../../evil.yaml': 'x' }));
  await drop('absolute.zip', zipOf({ '/tmp/evil.yaml': manifestOf('absolute') }));
  const linked = { 'rows.csv': [new TextEncoder().encode('/etc/passwd'), { os: 3, attrs: LINK_ATTRIBUTES }] } as const;
  await drop('link.zip', zipOf({ 'jobs.yaml': manifestOf('link') }, { 'rows.csv': [...linked['rows.csv']] }));
  await drop('cut.zip', zipOf({ 'jobs.yaml': manifestOf('cut') }).slice(0, 60));
  const many = Object.fromEntries(Array.from({ length: 2_001 }, (_, at) => [`${at}.csv`, 'x']));
  await drop('many.zip', zipOf(many));
  await drop('passwd.yaml', JSON.stringify({ version: 1, batch: 'passwd', include: ['/etc/passwd'] }));
  await drop(
    'rows.yaml',
    JSON.stringify({ version: 1, batch: 'rows', jobs: [{ id: 'a', prompt: 'A', rows: '/etc/passwd.csv' }] }),
  );
  await drop(
    'above.yaml',
    JSON.stringify({ version: 1, batch: 'above', jobs: [{ id: 'a', prompt: 'A', rows: '../../a1/r.csv' }] }),
  );
  for (const name of ['huge.yaml', 'huge.zip']) {
    await drop(name, '');
    await truncate(join(folder, name), 3 * 2 ** 30);
  }
  await symlink('/etc/passwd', join(folder, 'linked.yaml'));

  expect((await refused('bomb.zip')).text).toMatch(/rows\.csv .*times as large as in the zip/);
  expect((await refused('liar.zip')).text).toMatch(/cannot be unzipped/);
  expect((await refused('out.zip')).text).toMatch(/invalid relative path: \.\.\/\.\.\/evil\.yaml/);
  expect((await refused('absolute.zip')).text).toMatch(/absolute path/);
  expect((await refused('link.zip')).text).toMatch(/rows\.csv {2}is a link/);
  expect((await refused('cut.zip')).text).toMatch(/cannot be read as a zip/);
  expect((await refused('many.zip')).text).toMatch(/expected at most 2,000 files, got 2,001/);
  const passwd = await refused('passwd.yaml');
  expect(passwd.mistakes).toMatchObject([{ file: 'passwd.yaml', line: 1, hint: 'put it into the drop' }]);
  expect((await refused('rows.yaml')).text).toContain("is outside of the manifest's folder");
  expect((await refused('above.yaml')).text).toContain("../../a1/r.csv: is outside of the manifest's folder");
  expect((await refused('huge.yaml')).text).toMatch(/expected at most 4 MB, got 3,072 MB/);
  expect((await refused('huge.zip')).text).toMatch(/expected at most 512 MB, got 3,072 MB/);
  expect((await refused('linked.yaml')).text).toMatch(/is a link or no regular file/);
  for (const name of await readdir(join(folder, 'rejected'))) {
    const report = await readFile(join(folder, 'rejected', name, 'report.txt'), 'utf8');
    expect(report).not.toContain('root:');
  }

  const status = await readFile(`/proc/${cli.pid}/status`, 'utf8');
  const peakBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
  process.stdout.write(`peak of the inbox: ${Math.round(peakBytes / 2 ** 20)} MB\n`);
  expect(peakBytes).toBeLessThan(MOST_BYTES);
  cli.kill('SIGTERM');
  expect((await cli.exit()).code).toBe(0);
  expect(place.simulator.ledger().submits.seen).toBe(0);
});

/** Its directory, and what stands before its content, say that a file is so large once it is unpacked. */
function withDeclaredSize(zip: Uint8Array, name: string, size: number): Uint8Array {
  const lied = Buffer.from(zip);
  for (const [mark, sizeAt, nameAt] of [
    [0x04034b50, 22, 30],
    [0x02014b50, 24, 46],
  ] as const) {
    for (let at = 0; at < lied.length - 46; at += 1) {
      if (lied.readUInt32LE(at) !== mark) continue;
      if (lied.toString('utf8', at + nameAt, at + nameAt + name.length) === name) lied.writeUInt32LE(size, at + sizeAt);
    }
  }
  return lied;
}
