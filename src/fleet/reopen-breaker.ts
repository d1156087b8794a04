import { leastPrice } from '../money/prices.ts';
import { say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import type { OpenedPorts } from '../wiring/stage-ports.ts';
import { describeGate } from './describe-breaker.ts';
import { mayBeOver } from './probe-breaker.ts';

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
