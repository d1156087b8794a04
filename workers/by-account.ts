import { type Finished, type Item, type Submitted, type Vendor, vendorOf } from '../src/items/item.ts';
import { keyless } from '../src/provider/keyless.ts';
import { archive } from '../src/stages/archive.ts';
import { laneTurns, type SubmitLane, submitInLanes } from '../src/stages/choose-lane.ts';
import { poll } from '../src/stages/poll.ts';
import type { Ports, Run, StageOutcome } from '../src/stages/ports.ts';
import { warnOfStorm } from '../src/stages/storm-log.ts';
import { waitALittle } from '../src/stages/wait-a-little.ts';
import type { NoKey, UsableLane } from '../src/wiring/lane-ports.ts';
import type { OpenedPorts } from '../src/wiring/stage-ports.ts';
import { pollSeats } from './poll-seats.ts';

const NO_KEY_MS = 30_000;
/** Polls of one account that wait for their slot in this process: more of them would keep those of others from theirs. */
export const POLLS_WAITING = 16;
/** Enough for all that may run at once at BFL to be replaced quickly. */
const BFL_WAITERS = 16;

/** The stages, each in the account that an item is to be made in, or is made in already. */
export function stagesByAccount(
  ports: OpenedPorts,
  {
    isBehind,
    places,
    wasCalled,
  }: { isBehind(): boolean; places: number; wasCalled(task: Submitted): Promise<boolean> },
) {
  const { accounts } = ports;
  const turns = laneTurns();
  const seats = new Map(accounts.all.map((account) => [account, pollSeats(places, ports.now)]));
  const isSeveral = accounts.all.length > 1 || accounts.all.some(({ lane }) => lane.isNamed);

  const portsIn = async (account: UsableLane, item: Item): Promise<Ports> => {
    const own = await account.portsFor(ports, item.request);
    return isSeveral ? { ...own, portsOfTask } : own;
  };
  const portsOfTask = async (task: Submitted): Promise<Ports | undefined> => {
    const account = accounts.ofTask(task);
    return 'lacksKey' in account ? undefined : portsIn(account, task);
  };
  const toSubmit = async (account: UsableLane, item: Item): Promise<SubmitLane> => ({
    name: account.lane.name,
    share: account.lane.share,
    maxTasks: account.lane.maxTasks,
    ports: await portsIn(account, item),
    outlook: () => account.limiterOf(item.request.model).outlook(),
  });

  return {
    async submit(item: Item, run: Run): Promise<StageOutcome> {
      if (isBehind()) return waitALittle(ports);
      const found = accounts.toSubmit(item.request);
      // The next would lack it too, and is another worker's.
      if ('lacksKey' in found) return { ...waitForKey(item, 'submit', found, ports), restMs: NO_KEY_MS };
      return submitInLanes(item, run, await Promise.all(found.map((account) => toSubmit(account, item))), turns);
    },
    async poll(item: Submitted, run: Run): Promise<StageOutcome> {
      const account = accounts.ofTask(item);
      if ('lacksKey' in account) return waitForKey(item, 'poll', account, ports);
      const told = { ...run, called: await wasCalled(item) };
      const own = await portsIn(account, item);
      const ask = () => poll(item, told, own);
      const outcome = await (seats.get(account)?.(told, ask) ?? ask());
      await (outcome.kind === 'done' ? account.tasks?.remove(item) : account.tasks?.add(item));
      return outcome;
    },
    async archive(item: Finished, run: Run): Promise<StageOutcome> {
      const account = accounts.ofTask(item);
      if ('lacksKey' in account) {
        // Only a link of last resort needs the key.
        const provider = keyless(`${account.lacksKey} is not set`);
        return archive(item, run, { ...ports, provider });
      }
      return archive(item, run, await portsIn(account, item));
    },
  };
}

/** Submits of a vendor that a process has under way, or waiting for their slots: enough for each lane of it. */
export function submitsAtOnce({ accounts }: Pick<OpenedPorts, 'accounts'>, vendor: Vendor): number {
  const lanes = accounts.all.filter(({ lane }) => lane.vendor === vendor && lane.share > 0);
  const waiters = lanes.map(({ lane }) => (vendor === 'bfl' ? BFL_WAITERS : waitersFor(lane.rateLimit)));
  return Math.max(
    1,
    waiters.reduce((sum, one) => sum + one, 0),
  );
}

/** The poll queues that this process has keys for, and how many accounts wait in each. */
export function pollingOf({
  accounts,
}: Pick<OpenedPorts, 'accounts'>): { lane: string | undefined; accounts: number }[] {
  const named = accounts.all.flatMap(({ lane }) => (lane.isNamed ? [{ lane: lane.name, accounts: 1 }] : []));
  return [{ lane: undefined, accounts: Math.max(1, accounts.all.length - named.length) }, ...named];
}

export function isOfVendor(item: Item, vendor: Vendor): boolean {
  return vendorOf(item.request) === vendor;
}

/** Enough waiters for every slot to have one when its time comes, with answers that take up to about two seconds. */
function waitersFor({ max, windowMs }: { max: number; windowMs: number }): number {
  const perSecond = (max * 1_000) / windowMs;
  return Math.min(64, Math.max(8, Math.ceil(perSecond * 4)));
}

/** Another worker may have it. */
function waitForKey(
  { batch, id }: Item,
  stage: 'submit' | 'poll',
  { lacksKey, lane }: NoKey,
  { log, now }: Ports,
): Extract<StageOutcome, { kind: 'later' }> {
  const isUnknown = lacksKey === 'FLUX_LANES';
  const reason = isUnknown ? `FLUX_LANES here has no lane ${lane}` : `${lacksKey} is not set`;
  const remedy = isUnknown ? `add the lane ${lane} to FLUX_LANES` : `set ${lacksKey}`;
  const fields = { stage, batch, item: id, lane, reason, remedy };
  warnOfStorm(log, `no-key-${lane}`, fields, 'items of an account whose key this worker does not have');
  return { kind: 'later', atMs: now() + NO_KEY_MS };
}
