import { UsageError } from '../errors.ts';
import { providerOf } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { isReadable } from '../items/unreadable.ts';
import { type Glob, globOf } from '../text/glob.ts';
import type { Listed } from './standings.ts';

/** The fields that `--where` knows for every item. Any other name is a variable of the manifest. */
const FIELDS = {
  state: (record: ItemRecord) => record.state,
  name: (record: ItemRecord) => record.name,
  id: (record: ItemRecord) => record.id,
  model: (record: ItemRecord) => record.request.model,
  provider: (record: ItemRecord) => providerOf(record.request),
  variant: (record: ItemRecord) => String(record.variant),
  prompt: (record: ItemRecord) => record.request.prompt,
  failure: (record: ItemRecord) => ('failure' in record ? record.failure.class : undefined),
  current: ({ standing }: ListedRecord) => standing && String(standing.current),
};

type ListedRecord = ItemRecord & Pick<Listed, 'standing'>;
type Condition = { key: string; negated: boolean; patterns: Glob[] };

export type Where = {
  isEverything: boolean;
  /** Some condition is of this name. */
  asks(key: string): boolean;
  matches(found: Listed): boolean;
  /** Throws a UsageError (`where-unknown`) when a condition names a variable that no record so far had. */
  complain(): void;
};

/**
 * Parses conditions that must all hold: `state=archived`, `color=red,blue` (either), `name=hero*` (`*` is any text, `?`
 * one character), `color!=red`. `variables.state=…` means a variable with the name of a field. Throws a UsageError
 * (`where-invalid`).
 */
export function parseWhere(texts: readonly string[]): Where {
  const conditions = texts.map(parseCondition);
  const neverSeen = new Set(conditions.map(({ key }) => key).filter((key) => !Object.hasOwn(FIELDS, key)));
  const variablesSeen = new Set<string>();
  return {
    isEverything: conditions.length === 0,
    asks: (wanted) => conditions.some(({ key }) => key === wanted),
    matches(found) {
      for (const name of Object.keys(isReadable(found) ? found.variables : {})) {
        neverSeen.delete(name);
        neverSeen.delete(`variables.${name}`);
        variablesSeen.add(name);
      }
      return conditions.every((condition) => holds(condition, found));
    },
    complain() {
      const [key] = neverSeen;
      if (key === undefined) return;
      const known = [...Object.keys(FIELDS), ...variablesSeen].join(', ');
      throw new UsageError('where-unknown', `No item has a variable "${key}"`, { hint: `Known here: ${known}` });
    },
  };
}

function parseCondition(text: string): Condition {
  const parts = /^([^=!]+)(!?=)(.*)$/s.exec(text);
  if (!parts) {
    throw new UsageError('where-invalid', `Expected --where as name=value, got "${text}"`, {
      hint: 'For instance: --where state=archived --where color=red,blue --where name=hero*',
    });
  }
  const [, key = '', operator, values = ''] = parts;
  return { key: key.trim(), negated: operator === '!=', patterns: values.split(',').map(globOf) };
}

function holds({ key, negated, patterns }: Condition, found: Listed): boolean {
  const value = isReadable(found) ? textOf(key, found) : textOfUnreadable(key, found);
  const holdsSo = value !== undefined && patterns.some((pattern) => pattern.test(value));
  return holdsSo !== negated;
}

/** As its row has it. */
function textOfUnreadable(key: string, { id, state, standing }: Exclude<Listed, ItemRecord>): string | undefined {
  const known = new Map([
    ['id', id],
    ['name', id],
    ['state', state],
    ['failure', 'record-corrupt'],
    ...(standing ? [['current', String(standing.current)] as const] : []),
  ]);
  return known.get(key);
}

function textOf(key: string, record: ListedRecord): string | undefined {
  if (isField(key)) return FIELDS[key](record);
  const name = key.startsWith('variables.') ? key.slice('variables.'.length) : key;
  return Object.hasOwn(record.variables, name) ? record.variables[name] : undefined;
}

const isField = (key: string): key is keyof typeof FIELDS => Object.hasOwn(FIELDS, key);
