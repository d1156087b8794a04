import { describeFinding } from '../diagnosis/describe.ts';
import { stoppedFinding } from '../diagnosis/stopped.ts';
import { leastPrice } from '../money/prices.ts';
import { say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import type { OpenedPorts } from '../wiring/stage-ports.ts';
import { mayBeOver } from './probe-breaker.ts';

/** A wrong address may have been put right. And the API has just answered us. */
const PROBED_AT_ONCE = ['not-found', 'unreachable'];

/** A person who starts workers wants to go on. So a breaker that an earlier run tripped is probed at once, unless its reason lasts. */
export async function probeAtStart(
  { state }: Pick<Connections, 'state'>,
  ports: Pick<OpenedPorts, 'provider' | 'prices'>,
  warn: (why: string, how: string) => void = sayWhy,
): Promise<void> {
  const breaker = await state.breaker();
  if (!breaker) return;
  if (
    PROBED_AT_ONCE.includes(breaker.refusal) ||
    (await mayBeOver(breaker, ports.provider, leastPrice(ports.prices)))
  ) {
    await state.allowProbe();
    return;
  }
  const [why, how] = describeFinding(stoppedFinding(breaker, Date.now()), Date.now());
  warn(why, how);
}

function sayWhy(why: string, how: string): void {
  say(`warning: ${why}`, { level: 'warn' });
  say(how, { level: 'warn' });
}
