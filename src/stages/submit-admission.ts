import type { Item } from '../items/item.ts';
import { cancelledRecord } from '../items/transitions.ts';
import { type Confirmation, PARKED_MS, type Ports, type StageOutcome, type Standing } from './ports.ts';

/** After so long another holder of the item has written its claim; what is older than that is not taken for granted. */
const LOOK_AGAIN_MS = 1_000;

/** Whoever lost the item leaves its record and state to the holder that took it over. */
export async function leave(
  item: Item,
  why: Exclude<Confirmation, Permit>,
  undo: () => Promise<unknown>,
  ports: Ports,
): Promise<StageOutcome> {
  if (why === 'lost') return lookAgain(ports);
  await undo();
  if (why === 'cancelled') await ports.state.move(item, 'cancelled');
  return waitFor(why, item, ports);
}

/** What keeps an item from being submitted, and when it is looked at again. */
export async function waitFor(why: Exclude<Standing, 'open'>, item: Item, ports: Ports): Promise<StageOutcome> {
  switch (why) {
    case 'closed':
      return { kind: 'later', atMs: ports.now() + (await ports.state.gateCheckMs(item.batch)) };
    case 'paused':
    case 'out-of-budget':
      return { kind: 'later', atMs: ports.now() + PARKED_MS };
    case 'cancelled':
      await recordCancelled(item, ports);
      return { kind: 'done' };
    default:
      return why satisfies never;
  }
}

/** So that it has its row in the index. A record that is there knows more and is left alone. */
export async function recordCancelled(item: Item, ports: Ports): Promise<void> {
  if (await ports.records.read(item.batch, item.id)) return;
  if (await ports.records.create(cancelledRecord(item))) await ports.state.outdateIndex(item.batch);
}

type Permit = Extract<Confirmation, 'go' | 'probe'>;

export function permits(confirmed: Confirmation): confirmed is Permit {
  return confirmed === 'go' || confirmed === 'probe';
}

/** Another holder took the item over. Its job may be ours, so it is not given up: the record will say what there is to do. */
export function lookAgain(ports: Ports): StageOutcome {
  return { kind: 'later', atMs: ports.now() + LOOK_AGAIN_MS };
}
