import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { z } from 'zod';
import { type Drop, DropChanged, type DropPlace } from '../archive/drops.ts';
import { messageOf } from '../errors.ts';
import { redisInboxBudget } from '../fleet/inbox-budget.ts';
import { redisInboxDrops } from '../fleet/inbox-drops.ts';
import { redisLease } from '../fleet/lease.ts';
import type { Connections } from '../wiring/connections.ts';
import type { Allowance } from './allowance.ts';
import { isOdd, OUTCOMES } from './drop-names.ts';
import { type Hold, NotOurs, openHold } from './hold.ts';
import type { InboxPorts } from './inbox-ports.ts';
import { DROP_LIMITS } from './limits.ts';
import { removeLeftFolders } from './private-folder.ts';
import { pathsOf, readTake, type Take } from './take.ts';
import { takeApproved, takeDrop } from './take-drop.ts';
import { noteOpenTakes, tellEnds } from './tell-ends.ts';
import { printOf, wholeness } from './wholeness.ts';

export type InboxSettings = {
  allowance: Allowance;
  /** How long a file in a folder stays as it is until it is taken for whole. */
  restMs: number;
};

/** Told of each drop that was taken, for the log of the process. */
export type OnTaken = (take: Take) => void;

const DROPS_AT_ONCE = 4;
const LONGEST_PAUSE_MS = 1_000;
const SHORTEST_PAUSE_MS = 50;
const IDENTITY = '.flux-batch/inbox.json';
const identitySchema = z.object({ version: z.literal(1), inbox: z.string() });

/**
 * Looks at an inbox until the signal aborts, and takes what is dropped there. Any number of processes may do so. Throws only what the
 * first look throws: later, what is out of reach is waited for.
 */
export async function watchInbox(
  place: DropPlace,
  connections: Connections,
  { allowance, restMs }: InboxSettings,
  { signal, onTaken }: { signal: AbortSignal; onTaken: OnTaken },
): Promise<void> {
  const { redis, keys, clock, log } = connections;
  await removeLeftFolders();
  await place.prepare();
  const inbox = await identityOfPlace(place);
  const ports: InboxPorts = {
    inbox,
    place,
    connections,
    limits: DROP_LIMITS,
    allowance,
    budget: redisInboxBudget(redis, keys, clock),
    drops: redisInboxDrops(redis, keys),
  };
  const hold = () => openHold((name) => redisLease(redis, keys.inboxLease(`${inbox}:${name}`)));
  const troubles = new Set<string>();
  const onTrouble = (error: unknown) => {
    const reason = messageOf(error);
    if (!troubles.has(reason)) log.warn({ inbox: place.url, reason }, 'inbox');
    troubles.add(reason);
  };
  const look = lookAt(ports, { hold, restMs, onTrouble, onTaken, signal });
  try {
    await noteOpenTakes(ports);
    await look();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const pauseMs = Math.max(SHORTEST_PAUSE_MS, Math.min(LONGEST_PAUSE_MS, restMs / 2));
  while (!signal.aborted) {
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    await look().then(() => troubles.clear(), onTrouble);
  }
}

/** One inbox may be known by several paths: what tells it from others lies in it. */
async function identityOfPlace(place: DropPlace): Promise<string> {
  const fresh = { version: 1, inbox: randomUUID() };
  await place.create(IDENTITY, Buffer.from(`${JSON.stringify(fresh)}\n`), 'application/json');
  const body = await place.read(IDENTITY);
  return identitySchema.parse(JSON.parse(body?.toString('utf8') ?? 'null')).inbox;
}

type Looking = {
  hold: () => Hold;
  restMs: number;
  onTrouble: (error: unknown) => void;
  onTaken: OnTaken;
  signal: AbortSignal;
};

function lookAt(ports: InboxPorts, { hold, restMs, onTrouble, onTaken, signal }: Looking): () => Promise<void> {
  const { place, inbox, drops } = ports;
  const whole = wholeness({ restMs, wholeWhenListed: place.wholeWhenListed });
  /** What was taken and is too large to be moved stays where it is. */
  const stays = new Map<string, string>();

  /** What goes wrong with one drop keeps no other from being taken. */
  async function alone(name: string, run: (held: Hold) => Promise<void>): Promise<void> {
    if (signal.aborted) return;
    const held = hold();
    try {
      await held.take(name);
      await run(held);
    } catch (error) {
      if (!(error instanceof NotOurs || error instanceof DropChanged)) onTrouble(error);
    } finally {
      await held.release();
    }
  }

  const take = (drop: Drop) =>
    alone(`drop:${drop.name}`, async (held) => {
      // Another process may have died among the removals of a move: what is left is no drop.
      if (await place.resumeMove(drop.name)) return;
      const now = await place.find('', drop.name);
      if (!now || printOf(now) !== printOf(drop)) return;
      const taken = await takeDrop(drop, ports, held);
      onTaken(taken);
      if (await place.find('', drop.name)) stays.set(drop.name, printOf(drop));
    });

  const approve = (name: string) =>
    alone(`waiting:${name}`, async (held) => {
      const paths = pathsOf('waiting', name);
      const waiting = await readTake(name, place.read, ['waiting']);
      if (waiting) {
        if (await place.resumeMove(`${paths.folder}/${waiting.drop}`)) return;
        const drop = await dropIn(paths.folder, waiting.drop, ports);
        if (drop) onTaken(await takeApproved(waiting, drop, ports, held));
        for (const path of [paths.report, paths.text, paths.take]) await place.remove(path);
      }
      await drops.noteDecided(inbox, name);
    });

  return async () => {
    for (const path of await place.moving()) {
      await alone(leaseOfMove(path), async () => void (await place.resumeMove(path)));
    }
    const found = (await place.drops(OUTCOMES, signal)).filter(({ name }) => !isOdd(name));
    for (const name of stays.keys()) if (!found.some((drop) => drop.name === name)) stays.delete(name);
    const ready = whole.look(found, performance.now()).filter((drop) => stays.get(drop.name) !== printOf(drop));
    await pMap(ready, take, { concurrency: DROPS_AT_ONCE });
    await pMap(await drops.approved(inbox), approve, { concurrency: DROPS_AT_ONCE });
    await tellEnds(ports, hold, onTrouble);
  };
}

/** From the inbox itself, or from a folder of what waits. */
function leaseOfMove(path: string): string {
  const [, take] = path.split('/');
  return take === undefined ? `drop:${path}` : `waiting:${take}`;
}

async function dropIn(folder: string, name: string, { place }: InboxPorts): Promise<Drop | undefined> {
  const found = await place.find(folder, name);
  if (found) return found;
  // Beside our files it may have another name.
  const other = (await place.names(folder))
    .map((one) => one.replace(/\/$/, ''))
    .find((one) => one.endsWith(`-${name}`));
  return other === undefined ? undefined : place.find(folder, other);
}
