import { type Finished, type Item, providerOf, type Submitted, type Vendor } from '../src/items/item.ts';
import { requestsOf } from '../src/items/provider-list.ts';
import type { SubmitWay } from '../src/items/submit-way.ts';
import { keyless } from '../src/provider/keyless.ts';
import { archive } from '../src/stages/archive.ts';
import { laneTurns, type SubmitLane, submitInLanes } from '../src/stages/choose-lane.ts';
import { type OnMoved, submitWhereOpen, type Way } from '../src/stages/choose-provider.ts';
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
  const told = movesTold(ports);
  /** The item as each of its providers would be asked for it. */
  const waysOf = (item: Item): Promise<Way[]> =>
    Promise.all(
      requestsOf(item).map(async (request): Promise<Way> => {
        const asked = { ...item, request };
        const found = accounts.toSubmit(request);
        const lacks = 'lacksKey' in found ? found : undefined;
        const usable = 'lacksKey' in found ? [] : found;
        return {
          item: asked,
          provider: providerOf(request),
          lanes: lacks
            ? { why: whyNoKey(lacks), wait: () => waitForSubmitKey(asked, lacks, ports) }
            : await Promise.all(usable.map((account) => toSubmit(account, asked))),
          closedFor: () => closedFor(usable),
        };
      }),
    );

  return {
    async submit(item: Item, run: Run): Promise<StageOutcome> {
      if (isBehind()) return waitALittle(ports);
      if (item.providers) return submitWhereOpen(await waysOf(item), run, turns, told);
      const found = accounts.toSubmit(item.request);
      if ('lacksKey' in found) return waitForSubmitKey(item, found, ports);
      return submitInLanes(item, run, await Promise.all(found.map((account) => toSubmit(account, item))), turns);
    },
    async poll(item: Submitted, run: Run): Promise<StageOutcome> {
      const account = accounts.ofTask(item);
      if ('lacksKey' in account) return waitForKey(item, 'poll', account, ports);
      const told = { ...run, called: await wasCalled(item), calledSince: () => wasCalled(item) };
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

/** Why no lane of a provider takes anything, with the time from which on that is so. */
async function closedFor(accounts: readonly UsableLane[]): Promise<string | undefined> {
  const breakers = await Promise.all(accounts.map(({ state }) => state.breaker()));
  const told = breakers.flatMap((breaker) =>
    breaker ? [`${breaker.refusal}: ${breaker.message} (since ${new Date(breaker.since).toISOString()})`] : [],
  );
  return told.length === 0 ? undefined : told.join('; ');
}

/** That items go to another provider is told once for each cause, and not for each item. */
function movesTold({ log }: Pick<OpenedPorts, 'log'>): OnMoved {
  const causes = new Map<string, string>();
  return ({ item: { batch, id }, from, to, reason }) => {
    if (causes.get(from) === reason) return;
    causes.set(from, reason);
    log.warn(
      { stage: 'submit', batch, item: id, from, to, reason },
      `${from} is closed: its items that may go to ${to} do`,
    );
  };
}

/** Submits that a process has under way, or waiting for their slots, of the items that wait in one queue: enough for each lane. */
export function submitsAtOnce({ accounts }: Pick<OpenedPorts, 'accounts'>, way: SubmitWay): number {
  const isOfWay = (vendor: Vendor) => way === 'either' || vendor === way;
  const lanes = accounts.all.filter(({ lane }) => isOfWay(lane.vendor) && lane.share > 0);
  const waiters = lanes.map(({ lane }) => (lane.vendor === 'bfl' ? BFL_WAITERS : waitersFor(lane.rateLimit)));
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

/** Enough waiters for every slot to have one when its time comes, with answers that take up to about two seconds. */
function waitersFor({ max, windowMs }: { max: number; windowMs: number }): number {
  const perSecond = (max * 1_000) / windowMs;
  return Math.min(64, Math.max(8, Math.ceil(perSecond * 4)));
}

type Later = Extract<StageOutcome, { kind: 'later' }>;

/** The next item would lack it too, and is another worker's. */
function waitForSubmitKey(item: Item, lacks: NoKey, ports: Ports): Later {
  return { ...waitForKey(item, 'submit', lacks, ports), restMs: NO_KEY_MS };
}

function whyNoKey({ lacksKey, lane }: NoKey): string {
  return lacksKey === 'FLUX_LANES' ? `FLUX_LANES here has no lane ${lane}` : `${lacksKey} is not set`;
}

/** Another worker may have it. */
function waitForKey({ batch, id }: Item, stage: 'submit' | 'poll', lacks: NoKey, { log, now }: Ports): Later {
  const { lacksKey, lane } = lacks;
  const reason = whyNoKey(lacks);
  const remedy = lacksKey === 'FLUX_LANES' ? `add the lane ${lane} to FLUX_LANES` : `set ${lacksKey}`;
  const fields = { stage, batch, item: id, lane, reason, remedy };
  warnOfStorm(log, `no-key-${lane}`, fields, 'items of an account whose key this worker does not have');
  return { kind: 'later', atMs: now() + NO_KEY_MS };
}
