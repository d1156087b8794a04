import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, inject, type TestContext, test } from 'vitest';
import type { DropPlace } from '../../src/archive/drops.ts';
import { openDrops } from '../../src/archive/open-drops.ts';
import { type Cli, until } from '../acceptance/cli.ts';
import { expectOneTaskEach } from '../acceptance/ledger.ts';
import { openPlace, type Place } from '../acceptance/place.ts';
import { startRedis } from '../services/redis.ts';
import { manifestOf, reportsIn } from './stand.ts';

const DROPS = 50;
const INBOXES = 3;
const KILLED_EVERY_MS = 3_000;

type Stand = { place: Place; inbox: DropPlace; url: string; drop(name: string, text: string): Promise<void> };

test.concurrent('50 manifests in a second onto a folder, three inboxes, one killed every 3 s: 50 batches, each once, 50 reports', async (context) => {
  const place = await openFleetPlace(context);
  const url = join(place.folder, 'drop');
  await mkdir(url);
  const drop = async (name: string, text: string) => {
    await writeFile(join(place.folder, name), text);
    await rename(join(place.folder, name), join(url, name));
  };
  await dropAndKill({ place, url, inbox: openDrops({ url }), drop });
});

test.concurrent('the same onto a bucket', async (context) => {
  const bucket = `inbox-${randomUUID()}`;
  const { endpoint, ...credentials } = inject('s3');
  const place = await openFleetPlace(context, {
    S3_ENDPOINT: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
  const url = `s3://${bucket}/drops`;
  const inbox = openDrops({ url, endpoint, credentials, region: 'us-east-1' });
  const s3 = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  context.onTestFinished(async () => {
    s3.destroy();
    await inbox.close();
  });
  await inbox.prepare();
  const drop = async (name: string, Body: string) => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `drops/${name}`, Body }));
  };
  await dropAndKill({ place, url, inbox, drop });
});

async function openFleetPlace(context: TestContext, env: Record<string, string> = {}): Promise<Place> {
  const redis = await startRedis();
  context.onTestFinished(() => redis.stop());
  return openPlace(context, { env: { ...env, REDIS_URL: redis.url } });
}

async function dropAndKill({ place, inbox, url, drop }: Stand): Promise<void> {
  const open = (): Cli => place.start(['inbox', url, '--budget-each', '200', '--rest', '500ms']);
  const inboxes = Array.from({ length: INBOXES }, open);
  const worker = place.start(['worker']);
  await until('all look', () => inboxes.every((cli) => cli.stderr().includes('inbox ')));

  const beganAt = performance.now();
  await Promise.all(
    Array.from({ length: DROPS }, (_, at) => drop(`batch-${at}.yaml`, manifestOf(`batch-${at}`, [`Picture ${at}`]))),
  );
  const droppedMs = performance.now() - beganAt;

  let kills = 0;
  let takenBefore = 0;
  const ended = async () => {
    const reports = await reportsIn(inbox, 'accepted');
    return reports.size === DROPS && [...reports.values()].every(({ status }) => status === 'ended');
  };
  while (!(await ended())) {
    await sleep(KILLED_EVERY_MS);
    // One that looks. On a machine on which none has come so far since the last kill, the next one waits: else nobody ever would.
    const taken = (await inbox.names('accepted')).length;
    const at = inboxes.findIndex((cli) => cli.stderr().includes('inbox '));
    if (at === -1 || (taken === takenBefore && taken < DROPS)) continue;
    takenBefore = taken;
    inboxes[at]?.kill('SIGKILL');
    await inboxes[at]?.exit();
    inboxes.splice(at, 1);
    inboxes.push(open());
    kills += 1;
  }
  const tookMs = performance.now() - beganAt;
  process.stdout.write(
    `${url}: dropped in ${Math.round(droppedMs)} ms; ${kills} kills; all ended after ${Math.round(tookMs)} ms\n`,
  );
  expect(kills).toBeGreaterThan(0);

  // The last of them may have been reported by an inbox that was killed before it moved the drop: its successor does.
  await until('no drop is left', async () => (await inbox.drops(['accepted', 'waiting', 'rejected'])).length === 0);
  expectOneTaskEach(place, DROPS);
  const reports = await reportsIn(inbox, 'accepted');
  const batches = [...reports.values()].map(({ batch }) => batch);
  expect(new Set(batches).size).toBe(DROPS);
  expect(await inbox.names('accepted')).toHaveLength(DROPS);
  expect([await inbox.names('rejected'), await inbox.names('waiting')]).toEqual([[], []]);
  const status = await place.run(['status', '--json']);
  expect(JSON.parse(status.stdout).batches).toHaveLength(DROPS);
  worker.kill('SIGTERM');
  for (const cli of inboxes) cli.kill('SIGTERM');
}
