import type { ItemRecord } from '../items/record.ts';
import { isReplay, type KeyTerms } from '../items/submit-key.ts';
import type { Ports } from './ports.ts';

type Of = Pick<Ports, 'provider'> & { settings: Pick<Ports['settings'], 'lane'> };

/** Undefined where the provider takes no keys of ours. */
export function keyTerms({ provider, settings }: Of): KeyTerms | undefined {
  const { submitKey } = provider.facts;
  return submitKey && { ...submitKey, lane: settings.lane };
}

/** Whether a submit of this record here would be answered with the task that an earlier one may have started. */
export function replays(record: ItemRecord | undefined, ports: Of & Pick<Ports, 'now'>): boolean {
  return isReplay(record, keyTerms(ports), ports.now());
}
