import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { strToU8, type Zippable, zipSync } from 'fflate';
import { inject, onTestFinished, vi } from 'vitest';
import type { DropPlace } from '../../src/archive/drops.ts';
import { openDrops } from '../../src/archive/open-drops.ts';
import { type Report, reportSchema } from '../../src/inbox/report.ts';
import { type InboxSettings, watchInbox } from '../../src/inbox/watch-inbox.ts';
import type { Connections } from '../../src/wiring/connections.ts';

const QUICK: InboxSettings = { allowance: { each: 1_000, aDay: undefined }, restMs: 100 };

/** An inbox of this test's own, in a folder. */
export async function openFolderInbox() {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-inbox-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const place = openDrops({ url: folder });
  return {
    folder,
    place,
    /** As a person does it: all of it is there at once. */
    async drop(name: string, content: string | Uint8Array): Promise<void> {
      const aside = `${folder}.${randomUUID()}`;
      await writeFile(aside, content);
      await rename(aside, join(folder, name));
    },
    async dropFolder(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
      const aside = `${folder}.${randomUUID()}`;
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(aside, path)), { recursive: true });
        await writeFile(join(aside, path), content);
      }
      await rename(aside, join(folder, name));
    },
    read: (path: string) => readFile(join(folder, path), 'utf8'),
    left: async () =>
      (await readdir(folder)).filter((name) => !/^(\.flux-batch|accepted|waiting|rejected)$/.test(name)),
  };
}

/** One in a bucket, and the same place seen by who drops. */
export function openS3Inbox(bucket = `inbox-${randomUUID()}`) {
  const { endpoint, ...credentials } = inject('s3');
  const open = () => openDrops({ url: `s3://${bucket}/drops`, endpoint, credentials, region: 'us-east-1' });
  const place = open();
  onTestFinished(() => place.close());
  return { place, open, url: `s3://${bucket}/drops`, bucket };
}

/** Looks at an inbox until the test ends, or is told to stop. */
export function watch(place: DropPlace, connections: Connections, settings: Partial<InboxSettings> = {}) {
  const stop = new AbortController();
  const taken: string[] = [];
  const watching = watchInbox(
    place,
    connections,
    { ...QUICK, ...settings },
    { signal: stop.signal, onTaken: ({ outcome, take }) => void taken.push(`${outcome}/${take}`) },
  );
  const end = async () => {
    stop.abort();
    await watching;
  };
  onTestFinished(end);
  watching.catch(() => {});
  return { taken, stop: end };
}

/** The reports of an outcome, by the name that their drop had. */
export async function reportsIn(place: DropPlace, outcome: string): Promise<Map<string, Report & { text: string }>> {
  const reports = new Map<string, Report & { text: string }>();
  for (const folder of await place.names(outcome)) {
    const [json, text] = await Promise.all([
      place.read(`${outcome}/${folder}report.json`),
      place.read(`${outcome}/${folder}report.txt`),
    ]);
    if (!json || !text) continue;
    const report = reportSchema.parse(JSON.parse(json.toString()));
    reports.set(report.drop, { ...report, text: text.toString() });
  }
  return reports;
}

/** Waits for the report of a drop; fails at once when it is rejected and should not be. */
export async function reportOf(place: DropPlace, outcome: string, drop: string) {
  const found = await vi.waitFor(
    async () => {
      const report = (await reportsIn(place, outcome)).get(drop) ?? (await reportsIn(place, 'rejected')).get(drop);
      if (!report) throw new Error(`no report of ${drop} in ${outcome}`);
      return report;
    },
    { interval: 50 },
  );
  if (outcome !== 'rejected' && found.status === 'rejected') throw new Error(found.text);
  return found;
}

export function manifestOf(batch: string, prompts: readonly string[] = ['A pear'], more: object = {}): string {
  const jobs = prompts.map((prompt, index) => ({ id: `item-${index + 1}`, prompt }));
  return JSON.stringify({ version: 1, batch, jobs, ...more }, null, 2);
}

export function zipOf(files: Readonly<Record<string, string | Uint8Array>>, attributes: Zippable = {}): Uint8Array {
  const entries = Object.entries(files).map(([name, content]) => [
    name,
    typeof content === 'string' ? strToU8(content) : content,
  ]);
  return zipSync({ ...Object.fromEntries(entries), ...attributes });
}
