import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cpuMsOf } from './measure.ts';

export const CLI = fileURLToPath(new URL('../bin/flux-batch.js', import.meta.url));

const running = new Set<ChildProcess>();
// A benchmark that fails must not leave its processes behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function watched(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** A child that runs a script of this folder. */
export type Member<Result> = {
  pid: number;
  /** What it said when it was ready. */
  ready: unknown;
  /** The next message that it sends. */
  message(): Promise<unknown>;
  /** Tells it to stop, and waits for what it has to say at its end. */
  stop(): Promise<Result>;
  kill(): void;
};

/** Starts `bench/<script>.ts` with its input and waits until it says that it is ready. */
export async function startMember<Result>(
  script: string,
  input: unknown,
  options: { env?: NodeJS.ProcessEnv; execArgv?: string[] } = {},
): Promise<Member<Result>> {
  const child = watched(
    fork(fileURLToPath(new URL(`${script}.js`, import.meta.url)), [], {
      env: { ...process.env, ...options.env },
      execArgv: options.execArgv ?? [],
      serialization: 'advanced',
    }),
  );
  const message = async (): Promise<unknown> => {
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${script} ended with ${code}`);
    });
    const [said] = await Promise.race([once(child, 'message'), ended]);
    return said;
  };
  child.send({ input });
  const ready = await message();
  return {
    pid: child.pid ?? 0,
    ready,
    message,
    async stop() {
      const last = message();
      child.send('stop');
      const result = await last;
      await once(child, 'exit');
      return result as Result;
    },
    kill: () => child.kill('SIGKILL'),
  };
}

/** The child's side: runs with its input, says that it is ready, and tells its result when it is told to stop. */
export async function member<Input>(
  start: (input: Input) => Promise<{ ready?: unknown; stop(): Promise<unknown> }>,
): Promise<void> {
  // Whoever started us is gone.
  process.once('disconnect', () => process.exit());
  const [{ input }] = (await once(process, 'message')) as [{ input: Input }];
  const started = await start(input);
  process.send?.(started.ready ?? 'ready');
  while ((await once(process, 'message'))[0] !== 'stop');
  const result = await started.stop();
  process.send?.(result ?? null, () => process.disconnect());
}

export type SimulatorProcess = {
  url: string;
  apiKey: string;
  cpuMs(): number;
  summary(): Promise<LedgerSummary>;
  ledger(): Promise<Ledger>;
  stop(): Promise<void>;
};
type LedgerSummary = import('../src/simulator/ledger.ts').LedgerSummary;
type Ledger = import('../src/simulator/ledger.ts').Ledger;

/** `flux-batch simulate` in a process of its own, so that its work is not counted as ours. */
export async function startSimulator(flags: readonly string[]): Promise<SimulatorProcess> {
  const child = watched(
    spawn(process.execPath, [CLI, 'simulate', '--port', '0', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  const ended = once(child, 'exit');
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = /FLUX_API_URL=(\S+)\n\s+export FLUX_API_KEY=\S+\n/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`The simulator did not start:\n${said}`)));
  });
  const asked = async <T>(path: string) => {
    // A connection kept since the last question may just have been closed by the other side.
    const answer = await fetch(url + path).catch(() => fetch(url + path));
    return (await answer.json()) as T;
  };
  return {
    url,
    apiKey: 'simulator-key',
    cpuMs: () => cpuMsOf(child.pid ?? 0),
    summary: () => asked<LedgerSummary>('/_ledger?summary'),
    ledger: () => asked<Ledger>('/_ledger'),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
