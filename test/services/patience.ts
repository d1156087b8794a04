import { type VitestUtils, vi } from 'vitest';
import { CONDITION_MS } from './limits.ts';

type WaitFor = VitestUtils['waitFor'];
const isPatient = Symbol.for('flux-batch: patient');

// By itself `vi.waitFor` gives up after a second. Once in each process: files share it.
if (!(isPatient in vi.waitFor)) {
  const waitFor = vi.waitFor;
  const patiently: WaitFor = (condition, options) =>
    waitFor(condition, { timeout: CONDITION_MS, ...(typeof options === 'number' ? { timeout: options } : options) });
  vi.waitFor = Object.assign(patiently, { [isPatient]: true });
}
