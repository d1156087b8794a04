import { messageOf } from '../errors.ts';
import { type IndexPorts, writeIndex } from '../results/write-index.ts';
import { say } from '../text/terminal.ts';

/** Writes the index of what there is. That it cannot be written, perhaps for what stopped us, is no reason to fail. */
export async function writeIndexAnyway(batch: string, ports: IndexPorts, signal: AbortSignal): Promise<void> {
  try {
    await writeIndex(batch, ports, signal);
  } catch (error) {
    const why = signal.aborted ? 'no time was left' : messageOf(error);
    say(`note: the index of ${batch} was not written: ${why}. Later: flux-batch results ${batch} --refresh`);
  }
}
