import type { Provider } from '../provider/provider.ts';
import { plural } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';

type BooksOf = Pick<Connections, 'state' | 'spending' | 'config'>;

/** The account's balance and the charges we knew when a run began. In credits. */
export type Opening = { balance: number | undefined; known: number; others: number };

/** What we know of a run's cost beside the provider's balance. In credits. */
export type Balance = {
  before: number;
  after: number;
  /** Charged for this batch by what we know, and for other batches on this Redis, since the run began. */
  known: number;
  others: number;
  /** Items that are held because it is unknown whether their submit was charged. */
  doubtful: number;
};

export async function openBooks(connections: BooksOf, batch: string, balance: number | undefined): Promise<Opening> {
  return { balance, ...(await chargedSoFar(connections, batch)) };
}

/** Undefined where the provider does not tell the balance, as some resellers do not. */
export async function closeBooks(
  connections: BooksOf,
  provider: Pick<Provider, 'credits'>,
  batch: string,
  opening: Opening,
  doubtful: number,
): Promise<Balance | undefined> {
  const outcome = await provider.credits();
  if (opening.balance === undefined || outcome.kind !== 'credits') return undefined;
  const now = await chargedSoFar(connections, batch);
  return {
    before: opening.balance,
    after: outcome.credits,
    known: now.known - opening.known,
    others: now.others - opening.others,
    doubtful,
  };
}

async function chargedSoFar(
  { state, spending, config }: BooksOf,
  batch: string,
): Promise<{ known: number; others: number }> {
  const otherBatches = (await state.batches()).filter((name) => name !== batch);
  const counts = await Promise.all(otherBatches.map((name) => state.counts(name)));
  // What is made by another API is charged to another account.
  const others = counts.map((one) => (one && (one.api === '' || one.api === config.apiUrl) ? one.credits : 0));
  return { known: await spending.credits(batch), others: others.reduce((sum, credits) => sum + credits, 0) };
}

/** By how much the balance fell beyond what we know of. Negative when it fell by less. */
export function unaccounted({ before, after, known, others }: Balance): number {
  return round(before - after - known - others);
}

/** One line. It blames nobody: others may use the account, and prices and refunds are the provider's. */
export function describeBalance(balance: Balance, pricesOf: string): string {
  const { before, after, known, others, doubtful } = balance;
  const fell = round(before - after);
  const ours = `credits: ${round(known)} known${others > 0 ? `, ${round(others)} for other batches` : ''}`;
  const moved = fell >= 0 ? `balance fell by ${fell}` : `balance rose by ${-fell}`;
  const left = unaccounted(balance);
  if (left === 0) return `${ours}, and the ${moved}`;
  if (left < 0) {
    return `${ours}, but the ${moved}: credits given back or bought meanwhile, or prices unlike those of ${pricesOf}, may explain it`;
  }
  const held = doubtful > 0 ? `${plural(doubtful, 'held item')} may have been charged` : '';
  const general = `other users of the account, or prices unlike those of ${pricesOf}, may explain it`;
  return `${ours}, ${moved}: ${left} unaccounted — ${held === '' ? general : `${held}; else ${general}`}`;
}

function round(credits: number): number {
  return Math.round(credits * 1e6) / 1e6;
}
