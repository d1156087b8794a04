import { withoutPassword } from '../text/scrub.ts';
import { PROXIES, SECRET_VARIABLES, type VariableName } from './variables.ts';

/** Of a short secret, the first letters would be a good part. */
const SHOWN_FROM_LENGTH = 16;

/** What people may see of a variable's value. */
export function mask(name: VariableName, value: string): string {
  if (value === '') return '(not set)';
  // A proxy is taken without its scheme, too.
  if (PROXIES.includes(name) && !value.includes('://')) return withoutPassword(`//${value}`).slice(2);
  if (!SECRET_VARIABLES.includes(name)) return withoutPassword(value);
  if (value.length < SHOWN_FROM_LENGTH) return '… (set)';
  return `${value.slice(0, 2)}…${value.slice(-2)} (${value.length} characters)`;
}
