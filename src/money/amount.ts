import { FluxError } from '../errors.ts';
import { ACCOUNTS, type Account } from '../items/item.ts';

/** As it was said: in USD, or in credits of a provider. */
export type Amount = { amount: number; unit: 'credits' | 'usd' };
/** What may be spent: of all together, and of single accounts. */
export type Budget = { all?: Amount; accounts: Readonly<Partial<Record<Account, Amount>>> };

const AMOUNT = /^(?:(\$)\s*)?(\d+(?:\.\d+)?)\s*(usd|credits?)?$/i;

/** Reads `1000` (credits), `12.50usd` or `$12.50`. Throws a FluxError (`amount-invalid`). */
export function parseAmount(text: string): Amount {
  const [, sign, figure = '', word = ''] = AMOUNT.exec(text.trim()) ?? [];
  const isUsd = word.toLowerCase() === 'usd';
  if (figure === '' || (sign !== undefined && word !== '' && !isUsd))
    throw new FluxError('amount-invalid', `Expected credits or USD, such as 1000 or 12.50usd, got "${text.trim()}"`);
  return { amount: Number(figure), unit: sign !== undefined || isUsd ? 'usd' : 'credits' };
}

/**
 * Reads one amount for all, in credits of the default provider or in USD, and others for single accounts, in their own credits or in
 * USD: `12.50usd`, `bfl=300`, `20usd,kie=1000,bfl=5usd`. Throws a FluxError (`amount-invalid`).
 */
export function parseBudget(text: string): Budget {
  const accounts: Partial<Record<Account, Amount>> = {};
  const alls: Amount[] = [];
  for (const part of text.split(',')) {
    const [, name, said = ''] = /^\s*(?:([\w-]+)\s*=)?(.*)$/.exec(part) ?? [];
    const amount = parseAmount(said);
    if (amount.amount === 0) throw new FluxError('amount-invalid', `Expected an amount above 0, got "${part.trim()}"`);
    if (name === undefined) alls.push(amount);
    else {
      const account = accountNamed(name);
      if (accounts[account]) throw new FluxError('amount-invalid', `Expected one amount for ${account}, got two`);
      accounts[account] = amount;
    }
  }
  const [all, ...more] = alls;
  if (more.length > 0) throw new FluxError('amount-invalid', `Expected one amount for all, got ${alls.length}`);
  return { ...(all && { all }), accounts };
}

function accountNamed(name: string): Account {
  const account = ACCOUNTS.find((known) => known === name);
  if (account !== undefined) return account;
  const whose =
    name === 'kie-jobs' ? 'what kie-jobs makes is charged to the account of kie' : 'nobody has an account there';
  throw new FluxError('amount-invalid', `Expected an account (${ACCOUNTS.join(', ')}), got ${name}: ${whose}`);
}
