import type { Connections } from './connections.ts';
import { describeGate } from './describe-gate.ts';
import { leastPrice } from './prices.ts';
import type { OpenedPorts } from './stage-ports.ts';
import { mayBeOver } from './stages/probe-gate.ts';
import { say } from './terminal.ts';

/** A new start is a person's wish to go on: a gate that an earlier run closed is probed at once, unless the reason is known to last. */
export async function reopenGate(
  { state }: Connections,
  ports: OpenedPorts,
  warn: (why: string, how: string) => void = sayWhy,
): Promise<void> {
  const gate = await state.gate();
  if (!gate) return;
  if (gate.refusal === 'not-found' || (await mayBeOver(gate, ports.provider, leastPrice(ports.prices)))) {
    await state.allowProbe();
    return;
  }
  const [why = gate.refusal, how = ''] = describeGate(gate, Date.now());
  warn(why, how);
}

function sayWhy(why: string, how: string): void {
  say(`warning: ${why}`);
  say(how);
}
