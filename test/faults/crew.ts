import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRAM } from '../services/program.ts';

export type Ended = { status: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };
export type Running = {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** What it has said so far. */
  said(): string;
  /** kill -9, and waits until it is dead. */
  kill(): Promise<void>;
};

export type StartOptions = {
  environment: Record<string, string>;
  /** The folder that it runs in, so that it meets no .env of ours. */
  cwd: string;
  /** Flags of Node itself. */
  node?: readonly string[];
  /** In place of the command line. */
  script?: string;
};

/** The command line as a process of its own, in the environment given and nothing of ours but the PATH. */
export function startProcess(args: readonly string[], options: StartOptions): Running {
  const { PATH = '', HOME = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env;
  const child = spawn(process.execPath, [...(options.node ?? []), options.script ?? PROGRAM, ...args], {
    cwd: options.cwd,
    env: { PATH, HOME, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION: 'us-east-1', ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killNow = () => child.kill('SIGKILL');
  process.once('exit', killNow);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([status, signal]): Ended => {
    process.off('exit', killNow);
    return { status, signal, stdout, stderr };
  });
  return {
    child,
    ended,
    said: () => stderr,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Workers under a supervisor that starts another for each that ends, as systemd and Docker do. */
export function startCrew(size: number, options: StartOptions & { args?: readonly string[] }) {
  const places = new Map<number, Running>();
  let open = true;
  let starts = 0;
  const troubles: string[] = [];
  const hungUp = new Set<Running>();
  const hungUpEnds: (number | NodeJS.Signals | null)[] = [];

  async function occupy(place: number) {
    while (open) {
      const running = startProcess(['worker', ...(options.args ?? [])], options);
      starts += 1;
      places.set(place, running);
      const { status, signal, stderr } = await running.ended;
      if (hungUp.has(running)) hungUpEnds.push(signal ?? status);
      else if (signal === null && open) troubles.push(stderr.slice(-500));
      await sleep(200);
    }
  }
  const keeping = Array.from({ length: size }, (_, place) => occupy(place));

  return {
    troubles,
    starts: () => starts,
    /** How those ended whose terminal was closed: by exit code, or by the signal that killed them. */
    hungUpEnds,
    /** kill -9 for one of them; another takes its place. */
    async killOne(place: number) {
      await places.get(place % size)?.kill();
    },
    /** Closes the terminal of one that is at work; another takes its place when it has drained. Returns whether it was at work. */
    hangUpOne(place: number): boolean {
      const running = places.get(place % size);
      if (!running?.said().includes('worker ')) return false;
      hungUp.add(running);
      return running.child.kill('SIGHUP');
    },
    running: (place: number) => places.get(place % size),
    async stop() {
      open = false;
      await Promise.all([...places.values()].map((running) => running.kill()));
      await Promise.all(keeping);
    },
  };
}
