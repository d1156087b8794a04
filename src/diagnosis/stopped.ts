import { stopsForGood } from '../batch/counts.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import { ACCOUNTS, type Vendor } from '../items/item.ts';
import { formatDuration } from '../text/duration.ts';
import { plain } from '../text/terminal.ts';
import { type Finding, finding, type Kind } from './finding.ts';
import type { LaneLook, Snapshot } from './snapshot.ts';

const KIND_OF: Readonly<Record<string, Kind>> = {
  unauthorized: 'key-refused',
  'out-of-credits': 'out-of-credits',
  maintenance: 'api-maintenance',
  unreachable: 'api-unreachable',
  'too-many-unknown': 'too-many-unknown',
  'not-found': 'api-not-found',
};

/** The account that it is about, where there are several, and where its key is. */
export type StoppedLane = { name: string; vendor: Vendor; keyVariable: string };

/** Why the circuit breaker lets no submit through, and what ends that. */
export function stoppedFinding(breaker: TrippedBreaker, now: number, lane?: StoppedLane): Finding {
  const { refusal, message, since } = breaker;
  return finding(
    KIND_OF[refusal] ?? 'submitting-stopped',
    `${lane ? `${lane.name}: ` : ''}submitting is stopped (${plain(refusal)}): ${plain(message)}`,
    remedyOf(breaker, now, lane),
    { since, ...(lane && { lane: lane.name }) },
  );
}

export function remedyOf(breaker: TrippedBreaker, now: number, lane?: StoppedLane): string {
  return `${howItLifts(breaker, now, lane)}; by hand: flux-batch gate open${lane ? ` ${lane.name}` : ''}`;
}

function howItLifts(breaker: TrippedBreaker, now: number, lane: StoppedLane | undefined): string {
  switch (breaker.refusal) {
    case 'unauthorized':
      return `it lifts when the API accepts the key again (asked every 15s): check ${lane?.keyVariable ?? 'FLUX_API_KEY'}`;
    case 'out-of-credits':
      return 'it lifts when the account has credits again (asked every 15s): top it up';
    case 'maintenance':
      return `it lifts when a submit gets through: ${nextProbe(breaker, now)}`;
    case 'unreachable':
      return `nothing is lost meanwhile; it lifts when a submit gets through: ${nextProbe(breaker, now)}`;
    case 'too-many-unknown':
      return `see flux-batch held before paying for more; it lifts when a submit gets through: ${nextProbe(breaker, now)}`;
    case 'not-found':
      return `check ${lane?.vendor === 'bfl' ? 'BFL' : 'FLUX'}_API_URL, then run again, or restart a worker: one submit goes first`;
    default:
      return 'it waits for a person';
  }
}

function nextProbe({ probeAt }: TrippedBreaker, now: number): string {
  if (probeAt === undefined || probeAt <= now) return 'the next one goes alone';
  return `one is let through in ${formatDuration(Math.ceil((probeAt - now) / 1_000) * 1_000)}`;
}

/** Why nothing that waits is submitted, and which account says so. */
export type Stop = { breaker: TrippedBreaker; lane?: StoppedLane };
type Closable = StoppedLane & Pick<LaneLook, 'isNamed' | 'share' | 'breaker' | 'waiting'>;
type Looked = Pick<Snapshot, 'breaker' | 'waitingForEither' | 'ownWaiting'> & { lanes: readonly Closable[] };

/**
 * What keeps all that waits from being submitted, of the batch alone where one was looked at; undefined while a lane of any vendor that
 * something waits for is open. One that may open again by itself comes before one that waits for a person. Where nothing waits, it is
 * about the default provider.
 */
export function stopOf({ lanes, breaker, waitingForEither, ownWaiting }: Looked): Stop | undefined {
  if (lanes.length === 0) return breaker ? { breaker } : undefined;
  const waits = (vendor: Vendor) => (ownWaiting ? ownWaiting[vendor] > 0 : waitsFor(vendor, lanes));
  const ways: (readonly Vendor[])[] = ACCOUNTS.filter(waits).map((vendor) => [vendor]);
  if ((ownWaiting?.either ?? waitingForEither) > 0) ways.push(ACCOUNTS);
  if (ways.length === 0) ways.push(['kie']);
  const stops: Stop[] = [];
  for (const vendors of ways) {
    const own = lanes.filter((lane) => vendors.includes(lane.vendor) && lane.share > 0);
    const closed = own.flatMap((lane) => (lane.breaker ? [{ breaker: lane.breaker, ...shownOf(lane) }] : []));
    if (closed.length === 0 || closed.length < own.length) return undefined;
    stops.push(...closed);
  }
  return stops.find((stop) => !stopsForGood(stop.breaker)) ?? stops[0];
}

function waitsFor(vendor: Vendor, lanes: readonly Closable[]): boolean {
  return lanes.some((lane) => lane.vendor === vendor && lane.waiting > 0);
}

/** The default account is told of as the API itself. */
function shownOf({ name, vendor, keyVariable, isNamed }: Closable): { lane?: StoppedLane } {
  return isNamed || vendor !== 'kie' ? { lane: { name, vendor, keyVariable } } : {};
}

type Look = Pick<Snapshot, 'lanes' | 'breaker' | 'waitingForEither' | 'at'>;

/**
 * The lanes that let no submit through. While another of the vendor's is open, or nothing waits for them, or what waits goes to another
 * vendor, that is a warning: it costs their share.
 */
export function stoppedLanes(look: Look): Finding[] {
  const { lanes, breaker, at } = look;
  if (lanes.length === 0) return breaker ? [stoppedFinding(breaker, at)] : [];
  return lanes.flatMap((lane) => {
    if (!lane.breaker || lane.share === 0) return [];
    const isDefault = !lane.isNamed && lane.vendor === 'kie';
    const stopped = stoppedFinding(lane.breaker, at, isDefault ? undefined : lane);
    const isSpared = lanes.some((one) => one.vendor === lane.vendor && isOpen(one));
    const goTo = isSpared ? undefined : movesTo(lane, look);
    const what = goTo === undefined ? stopped.what : `${stopped.what}; its items that may go to ${goTo} do`;
    const holdsUp = !isSpared && (lane.waiting > 0 || (look.waitingForEither > 0 && goTo === undefined));
    if (holdsUp || (isDefault && goTo === undefined)) return [{ ...stopped, what }];
    const { remedy, since } = stopped;
    return [finding('lane-closed', what, remedy, { lane: lane.name, ...(since !== undefined && { since }) })];
  });
}

type Lane = Look['lanes'][number];

const isOpen = ({ share, breaker }: Lane) => share > 0 && !breaker;

/** The vendor that takes what waits for this one and may be made by either. */
function movesTo({ vendor }: Lane, { lanes, waitingForEither }: Look): string | undefined {
  return waitingForEither > 0 ? lanes.find((one) => one.vendor !== vendor && isOpen(one))?.vendor : undefined;
}
