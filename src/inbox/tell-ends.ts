import { readBatchFile } from '../archive/batch-file.ts';
import { indexFiles, layout } from '../archive/layout.ts';
import { isFinished } from '../batch/counts.ts';
import { notify } from '../notify/notify.ts';
import { plural } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { type Hold, NotOurs } from './hold.ts';
import type { InboxPorts } from './inbox-ports.ts';
import type { Report } from './report.ts';
import { pathsOf, readTake } from './take.ts';
import { reportOf, writeReport } from './write-report.ts';

/** The takes of an inbox whose batch has not been told to have ended, by what lies there: for a Redis that has forgotten them. */
export async function noteOpenTakes({ place, inbox, drops }: InboxPorts): Promise<void> {
  const known = new Map(await drops.open(inbox));
  for (const folder of await place.names('accepted')) {
    const name = folder.replace(/\/$/, '');
    if (known.has(name) || (await place.read(pathsOf('accepted', name).ended)) !== undefined) continue;
    const take = await readTake(name, place.read, ['accepted']);
    if (take?.plan) await drops.noteOpen(inbox, name, take.plan.batch);
  }
  for (const folder of await place.names('waiting')) {
    const name = folder.replace(/\/$/, '');
    const take = await readTake(name, place.read, ['waiting']);
    if (!take?.plan) continue;
    const { batch, credits } = take.plan;
    await drops.noteWaiting({ inbox, url: place.url, take: name, batch, credits, why: take.why ?? '' });
  }
}

/** Writes the end of each batch that has ended into its report, and tells it by --notify. */
export async function tellEnds(ports: InboxPorts, openHold: () => Hold, onTrouble: (error: unknown) => void) {
  for (const [name, batch] of await ports.drops.open(ports.inbox)) {
    const hold = openHold();
    try {
      const end = await endOf(batch, ports.connections);
      if (!end) continue;
      await hold.take(`end:${name}`);
      await tellEnd(name, end, ports);
    } catch (error) {
      if (!(error instanceof NotOurs)) onTrouble(error);
    } finally {
      await hold.release();
    }
  }
}

type End = NonNullable<Report['end']>;

/** Undefined while it has not ended. A batch that Redis has forgotten is told of by its file in the archive. */
async function endOf(batch: string, { state, archive }: Connections): Promise<End | undefined> {
  const gallery = `${archive.url}/${layout.folder(batch)}${indexFiles.page}`;
  const at = new Date().toISOString();
  const counts = await state.counts(batch);
  if (counts) return isFinished(counts) ? { at, items: counts.items, credits: counts.credits, gallery } : undefined;
  const file = await readBatchFile(archive, batch);
  return file?.totals && { at: file.finished ?? at, items: file.totals, credits: null, gallery };
}

async function tellEnd(name: string, end: End, { place, inbox, drops, connections }: InboxPorts): Promise<void> {
  const paths = pathsOf('accepted', name);
  const take = await readTake(name, place.read, ['accepted']);
  if (take && (await place.read(paths.ended)) === undefined) {
    const report: Report = { ...reportOf(take, connections.archive.url), status: 'ended', end };
    await writeReport(place, paths, report);
    const { notifyUrl } = connections.config;
    // What added nothing has nothing to tell.
    if (notifyUrl !== undefined && (take.plan?.toMake ?? 0) > 0) {
      const why = await notify(notifyUrl, { text: headlineOf(report), ...end, batch: report.batch, drop: take.drop });
      if (why !== undefined) connections.log.warn({ batch: report.batch, reason: why }, 'the end was not told');
    }
    await place.create(paths.ended, Buffer.from(`${JSON.stringify(end)}\n`), 'application/json');
  }
  await drops.noteEnded(inbox, name);
}

function headlineOf({ batch, end, drop }: Report): string {
  const items = end?.items ?? {};
  const total = Object.values(items).reduce((sum, count) => sum + count, 0);
  const credits = end?.credits === null ? '' : `, ${plural(end?.credits ?? 0, 'credit')} spent`;
  return `${batch}: ${items.archived ?? 0} of ${plural(total, 'image')} archived${credits}\n${drop}: ${end?.gallery ?? ''}`;
}
