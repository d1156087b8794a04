import { type Bound, boundOf, type Load, lastSubmitMs, plannedMs, spread } from '../diagnosis/planned.ts';
import { accountOf, type Vendor } from '../items/item.ts';
import { submitTimeMs } from '../money/estimate.ts';
import { kindsIn, modelOfKind, providerOfKind } from '../money/prices.ts';
import { BFL_FACTS } from '../provider/bfl/facts.ts';
import type { Lane } from '../settings/lanes.ts';

/** About how long a batch takes that has not begun, by the limits of the accounts that its items go to. */
export type PlannedTime = {
  /** Undefined where nothing is ever begun. */
  ms: number | undefined;
  /** Until the last submit. */
  submitMs: number;
  /** Each by its own accounts, side by side. */
  vendors: readonly VendorTime[];
  /** All is made in the one account that there is without FLUX_LANES: it is said by its rate. */
  isByRate: boolean;
  /** If all goes to another vendor that may go there, where that takes longer. */
  atMost?: { ms: number; by: Vendor };
};

export type VendorTime = {
  vendor: Vendor;
  ms: number;
  /** What each account makes. Empty where none begins anything. */
  loads: readonly LaneLoad[];
  /** Decides, since it may have fewer tasks at once than the account. */
  slowModel: string | undefined;
  /** Accounts that are not counted, since this process has no key of theirs. */
  keyless: readonly Pick<Lane, 'name' | 'keyVariable'>[];
};
export type LaneLoad = Load & { name: string; bound: Bound };
type Kinds = Readonly<Record<string, number>>;
type Wanted = { model: string; items: number };

/** The most tasks at once of a model that has such a limit of its own, besides the account's. */
const MOST_OF: Readonly<Record<Vendor, Readonly<Record<string, number>>>> = {
  kie: {},
  bfl: BFL_FACTS.limits.runningOf ?? {},
};

/**
 * An item that several providers may make is made by the first, however busy that is, as long as it takes anything at all
 * (docs/providers.md): so it is counted there.
 */
export function timeOf(byKind: Kinds, lanes: readonly Lane[]): PlannedTime {
  const vendors = vendorsOf(byKind, (kind) => preferredIn(kind, lanes), lanes);
  const loads = vendors.flatMap((one) => one.loads);
  const only = defaultLoad(vendors, lanes);
  const ms = plannedMs(loads);
  const moved = vendorsOf(byKind, lastIn, lanes);
  const movedMs = plannedMs(moved.flatMap((one) => one.loads));
  const [by] = elsewhere(byKind, lanes);
  return {
    ms: loads.length === 0 ? undefined : ms,
    submitMs: only ? submitTimeMs(only.items, only.rateLimit) : Math.max(0, ...loads.map(lastSubmitMs)),
    ...{ vendors, isByRate: only !== undefined },
    ...(by && movedMs > ms && { atMost: { ms: movedMs, by } }),
  };
}

/** Where it is the only one. */
function defaultLoad(vendors: readonly VendorTime[], lanes: readonly Lane[]): LaneLoad | undefined {
  if (openIn('kie', lanes).some(({ isNamed }) => isNamed)) return undefined;
  const [first, ...others] = vendors.filter(({ loads }) => loads.length > 0);
  return others.length === 0 && first?.vendor === 'kie' ? first.loads[0] : undefined;
}

/** Where items may go that are counted at another vendor. */
function elsewhere(byKind: Kinds, lanes: readonly Lane[]): Vendor[] {
  return Object.keys(byKind).flatMap((kind) => {
    const last = vendorOfKind(lastIn(kind));
    return last === vendorOfKind(preferredIn(kind, lanes)) || openIn(last, lanes).length === 0 ? [] : [last];
  });
}

/** `choose`: of what several providers may make, which of them does. */
function vendorsOf(byKind: Kinds, choose: (kind: string) => string, lanes: readonly Lane[]): VendorTime[] {
  const chosen = new Map<Vendor, Wanted[]>();
  for (const [kinds, items] of Object.entries(byKind)) {
    const kind = choose(kinds);
    const vendor = vendorOfKind(kind);
    if (items > 0) chosen.set(vendor, [...(chosen.get(vendor) ?? []), { model: modelOfKind(kind), items }]);
  }
  return [...chosen].map(([vendor, wanted]) => vendorTime(vendor, wanted, lanes));
}

function vendorTime(vendor: Vendor, wanted: readonly Wanted[], lanes: readonly Lane[]): VendorTime {
  const open = openIn(vendor, lanes);
  const keyed = open.filter(({ apiKey }) => apiKey !== undefined);
  // Who only plans needs no key.
  const used = keyed.length > 0 ? keyed : open;
  const itemsOf = (some: readonly Wanted[]) => some.reduce((sum, { items }) => sum + items, 0);
  const ways = [
    { slowModel: undefined, loads: loadsOf(itemsOf(wanted), used) },
    ...Object.entries(MOST_OF[vendor]).map(([slowModel, most]) => {
      const items = itemsOf(wanted.filter(({ model }) => model === slowModel));
      return { slowModel, loads: loadsOf(items, used, most) };
    }),
  ].map((way) => ({ ...way, ms: plannedMs(way.loads) }));
  const slowest = ways.reduce((slower, way) => (way.ms > slower.ms ? way : slower));
  return { vendor, ...slowest, keyless: open.filter((lane) => !used.includes(lane)) };
}

/** `most`: so many tasks at once in each account, where it permits more. */
function loadsOf(items: number, lanes: readonly Lane[], most = Number.POSITIVE_INFINITY): LaneLoad[] {
  const limits = lanes.map(({ name, rateLimit, pollLimit, maxTasks }) => {
    return { name, rateLimit, pollLimit, maxTasks: Math.min(most, maxTasks) };
  });
  const counts = spread(items, limits);
  return limits
    .map((limit, index) => ({ ...limit, items: counts[index] ?? 0 }))
    .filter((load) => load.items > 0)
    .map((load) => ({ ...load, bound: boundOf(load) }));
}

/** Of what several providers may make, the first that has a key here; where there is none at all, the first. */
function preferredIn(kinds: string, lanes: readonly Lane[]): string {
  const each = kindsIn(kinds);
  const hasKey = (kind: string) => openIn(vendorOfKind(kind), lanes).some(({ apiKey }) => apiKey !== undefined);
  return each.find(hasKey) ?? each.find((kind) => openIn(vendorOfKind(kind), lanes).length > 0) ?? each[0] ?? kinds;
}

function openIn(vendor: Vendor, lanes: readonly Lane[]): Lane[] {
  return lanes.filter((lane) => lane.vendor === vendor && lane.share > 0);
}

const lastIn = (kinds: string) => kindsIn(kinds).at(-1) ?? kinds;
const vendorOfKind = (kind: string) => accountOf(providerOfKind(kind));
