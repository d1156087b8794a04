import { messageOf } from '../errors.ts';
import { quote } from '../manifest/problems.ts';
import type { RowEvent } from './row.ts';

/**
 * One JSON object. Text, numbers and booleans become variables; of what is nested, those values whose paths are among
 * `names`: `include.0.class`. All else is a mistake only where a template uses it.
 */
export function jsonRow(text: string, line: number, names: readonly string[]): RowEvent {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    return { kind: 'mistake', line, message: `expected a JSON object: ${messageOf(error)}` };
  }
  if (!isMap(row)) return { kind: 'mistake', line, message: `expected a JSON object, got ${quote(row)}` };
  const values: Record<string, string> = {};
  const complain = (name: string): RowEvent => {
    // JSON.parse has already rounded it. An order number would silently become a different one.
    const message = `"${name}" is too long a number to be kept exactly`;
    return { kind: 'mistake', line, message, hint: 'quote it' };
  };
  for (const [name, value] of Object.entries(row)) {
    if (name === '__proto__') return { kind: 'mistake', line, message: 'a row may not have a "__proto__"' };
    if (isRounded(value)) return complain(name);
    if (isPlain(value)) values[name] = String(value);
  }
  for (const name of names) {
    if (Object.hasOwn(values, name)) continue;
    const value = nested(row, name);
    if (isRounded(value)) return complain(name);
    if (isPlain(value)) values[name] = String(value);
  }
  return { kind: 'row', line, values };
}

function nested(row: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = row;
  for (const step of path.split('.')) {
    if (Array.isArray(value)) value = /^\d+$/.test(step) ? value[Number(step)] : undefined;
    else value = isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isPlain = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value);
const isRounded = (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
