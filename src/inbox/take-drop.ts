import { type Drop, DropChanged } from '../archive/drops.ts';
import { enqueueManifest } from '../batch/enqueue.ts';
import { prioritized } from '../batch/priority.ts';
import { expand } from '../manifest/manifest.ts';
import { reasonOfDay, reasonToWait } from './allowance.ts';
import { kindOf, nameAmongOurs, type Outcome } from './drop-names.ts';
import type { Hold } from './hold.ts';
import type { InboxPorts } from './inbox-ports.ts';
import { DropRefused, refusalOf } from './mistake.ts';
import { openDrop } from './open-drop.ts';
import { type PlannedDrop, planDrop } from './plan-drop.ts';
import { inPrivateFolder } from './private-folder.ts';
import { findTake, identityOf, pathsOf, readTake, type Take } from './take.ts';
import { reportOf, writeReport } from './write-report.ts';

/**
 * Takes a drop once, however many processes see it and whenever one is killed. It is read, planned and decided on; the decision is
 * recorded under a name that follows from the drop itself; only then it is enqueued, reported and moved, each of which can be done
 * again. Throws a `DropChanged` when it changes meanwhile, and `NotOurs` when another process has it.
 */
export function takeDrop(drop: Drop, ports: InboxPorts, hold: Hold): Promise<Take> {
  return inPrivateFolder(async (folder) => {
    const read = await readDrop(drop, folder, ports, hold);
    const about = read instanceof DropRefused ? drop.name : read.plan.batch;
    const { name, found } = await findTake(drop, about, ports.place.read);
    const take = found ?? (await decide(drop, read, ports, { name, identity: identityOf(drop), isApproved: false }));
    await carryOut(take, read, { drop, from: '' }, ports, hold);
    return take;
  });
}

/** One that waited and that a person has approved, whatever it costs. It is rejected when it cannot be taken any more. */
export function takeApproved(waiting: Take, drop: Drop, ports: InboxPorts, hold: Hold): Promise<Take> {
  return inPrivateFolder(async (folder) => {
    const read = await readDrop(drop, folder, ports, hold);
    const { take: name, identity } = waiting;
    const found = await readTake(name, ports.place.read, ['accepted', 'rejected']);
    const take = found ?? (await decide(drop, read, ports, { name, identity, isApproved: true }));
    await carryOut(take, read, { drop, from: pathsOf('waiting', name).folder }, ports, hold);
    return take;
  });
}

async function readDrop(
  drop: Drop,
  folder: string,
  { place, limits, connections }: InboxPorts,
  hold: Hold,
): Promise<PlannedDrop | DropRefused> {
  let inside = folder;
  try {
    const opened = await openDrop(drop, folder, { limits, fetch: (file, to) => place.fetch(file, to) });
    inside = opened.folder;
    return await planDrop(opened.manifest, connections, (batch) => hold.take(`batch:${batch}`));
  } catch (thrown) {
    const refusal = refusalOf(thrown, { folder: inside, file: drop.name, cameAlone: kindOf(drop) === 'manifest' });
    if (refusal) return refusal;
    throw thrown;
  }
}

type Deciding = { name: string; identity: string; isApproved: boolean };

async function decide(
  drop: Drop,
  read: PlannedDrop | DropRefused,
  ports: InboxPorts,
  deciding: Deciding,
): Promise<Take> {
  const { outcome, why } = await outcomeOf(read, ports, deciding);
  const isRefused = read instanceof DropRefused;
  const take: Take = {
    version: 1,
    take: deciding.name,
    identity: deciding.identity,
    drop: drop.name,
    outcome,
    at: new Date(ports.connections.clock.now()).toISOString(),
    plan: isRefused ? null : read.plan,
    why: why ?? null,
    mistakes: isRefused ? [...read.mistakes] : [],
    omitted: isRefused ? read.omitted : 0,
  };
  const body = Buffer.from(`${JSON.stringify(take, null, 2)}\n`);
  const { place } = ports;
  if (await place.create(pathsOf(outcome, take.take).take, body, 'application/json')) return take;
  const other = await readTake(take.take, place.read, [outcome]);
  // Another drop of this very time has the name: the next look finds a free one.
  if (other?.identity !== take.identity) throw new DropChanged(drop.name);
  return other;
}

async function outcomeOf(
  read: PlannedDrop | DropRefused,
  { allowance, budget }: InboxPorts,
  { identity, isApproved }: Deciding,
): Promise<{ outcome: Outcome; why?: string }> {
  if (read instanceof DropRefused) return { outcome: 'rejected' };
  const { plan } = read;
  const why = isApproved ? undefined : reasonToWait(plan, allowance);
  if (why !== undefined) return { outcome: 'waiting', why };
  const most = isApproved ? undefined : allowance.aDay;
  if (plan.credits === null || (await budget.reserve(identity, plan.credits, most))) return { outcome: 'accepted' };
  return { outcome: 'waiting', why: reasonOfDay(plan, allowance.aDay ?? 0) };
}

type Place = { drop: Drop; from: string };

async function carryOut(
  take: Take,
  read: PlannedDrop | DropRefused,
  { drop, from }: Place,
  ports: InboxPorts,
  hold: Hold,
): Promise<void> {
  const { place, drops, inbox, connections } = ports;
  const paths = pathsOf(take.outcome, take.take);
  await hold.isStillOurs();
  if (take.outcome === 'accepted') {
    if (read instanceof DropRefused) throw read;
    await enqueueDrop(read, take, ports);
  }
  // One that is told to have ended must not go back to what it was.
  if ((await place.read(paths.ended)) === undefined) {
    await writeReport(place, paths, reportOf(take, connections.archive.url));
  }
  const batch = take.plan?.batch ?? '';
  if (take.outcome === 'accepted') await drops.noteOpen(inbox, take.take, batch);
  if (take.outcome === 'waiting') {
    const { plan, why } = take;
    const credits = plan?.credits ?? null;
    await drops.noteWaiting({ inbox, url: place.url, take: take.take, batch, credits, why: why ?? '' });
  }
  await hold.isStillOurs();
  await place.move(drop, from, paths.folder, nameAmongOurs(drop.name, drop.changedMs));
}

/** Adds nothing of what was added before it. */
async function enqueueDrop({ manifest }: PlannedDrop, { plan }: Take, { connections }: InboxPorts): Promise<void> {
  const { batch, digest } = manifest;
  // What is lost was let through by a person only.
  const remake = (plan?.lost ?? 0) > 0;
  await enqueueManifest(connections, { batch, digest, remake }, prioritized(expand(manifest), 0));
}
