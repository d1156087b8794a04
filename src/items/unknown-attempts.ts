import { isUnknown } from './charges.ts';
import type { ItemRecord } from './record.ts';
import type { Common } from './record-common.ts';
import { isKeyInDoubt } from './submit-key.ts';

/** An item that goes on from an unknown outcome keeps it counted: it may have been charged. */
export function unknownAttemptsOf(record: ItemRecord | undefined): Pick<Common, 'unknownAttempts'> {
  return record && (isUnknown(record) || isKeyInDoubt(record))
    ? { unknownAttempts: (record.unknownAttempts ?? 0) + 1 }
    : {};
}

/** The task of one of them has turned up. */
export function withOneUnknownLess({ unknownAttempts = 0, ...common }: Common): Common {
  return unknownAttempts > 1 ? { ...common, unknownAttempts: unknownAttempts - 1 } : common;
}
