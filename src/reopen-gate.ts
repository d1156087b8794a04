import type { Connections } from './connections.ts';
import type { OpenedPorts } from './stage-ports.ts';
import { isOver } from './stages/probe-gate.ts';
import { plain, say } from './terminal.ts';

/** A gate that an earlier run closed is opened when its reason is over, else said: a new start is a person's wish to go on. */
export async function reopenGate({ state }: Connections, ports: OpenedPorts): Promise<void> {
  const gate = await state.gate();
  if (!gate) return;
  if (gate.refusal === 'not-found' || (await isOver(gate, ports.provider, Date.now()))) await state.openGate();
  else say(`warning: submitting is stopped (${gate.refusal}): ${plain(gate.message)}`);
}
