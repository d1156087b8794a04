import { describeFinding } from '../diagnosis/describe.ts';
import { type StoppedLane, stoppedFinding } from '../diagnosis/stopped.ts';
import type { Provider } from '../provider/provider.ts';
import { say } from '../text/terminal.ts';
import type { RedisBatchState } from './batch-state.ts';
import { mayBeOver } from './probe-breaker.ts';

/** A wrong address may have been put right. And the API has just answered us. */
const PROBED_AT_ONCE = ['not-found', 'unreachable'];

/** `least`: what an image costs at least. `lane`: its name, where there are several. */
type Probed = {
  state: Pick<RedisBatchState, 'breaker' | 'allowProbe'>;
  provider: Provider;
  least: number;
  lane: StoppedLane | undefined;
};

/** A person who starts workers wants to go on. So a breaker that an earlier run tripped is probed at once, unless its reason lasts. */
export async function probeAtStart(
  { state, provider, least, lane }: Probed,
  warn: (why: string, how: string) => void = sayWhy,
): Promise<void> {
  const breaker = await state.breaker();
  if (!breaker) return;
  if (PROBED_AT_ONCE.includes(breaker.refusal) || (await mayBeOver(breaker, provider, least))) {
    await state.allowProbe();
    return;
  }
  const [why, how] = describeFinding(stoppedFinding(breaker, Date.now(), lane), Date.now());
  warn(why, how);
}

function sayWhy(why: string, how: string): void {
  say(`warning: ${why}`, { level: 'warn' });
  say(how, { level: 'warn' });
}
