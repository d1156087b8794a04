import { once } from 'node:events';
import { Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import { FAULT_NAMES, type Fault, parseFaultText } from '../simulator/faults.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { RETRY_AFTER } from '../simulator/retry-after.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { parseDuration, parseRate } from '../text/duration.ts';
import { onStopSignals } from './signals.ts';

const DEFAULT_PORT = 4010;

const EXAMPLES = `
Examples:
  $ flux-batch simulate --time-scale 0.1            tasks end after about a second
  $ flux-batch simulate --rate 5/1s --window fixed
  $ flux-batch simulate --provider bfl --port 4011  Black Forest Labs: 24 tasks at once, no rate
  $ flux-batch simulate --origin-ttl 30s --fault image-cut=0.05 --fault reset-after-accept=3x
  $ flux-batch simulate --pictures plain --rate 1000/1s --poll-rate 1000/1s --max-tasks 5000

A fault is name=0.05 (a share of the requests) or name=3x (the next three); ",first" behind it spares all but the
first request for the same task, ",charged" takes the credits all the same. Faults:
  ${FAULT_NAMES.join('  ')
    .replace(/(.{1,108})(?: {2}|$)/g, '$1\n  ')
    .trimEnd()}
A prompt with the word "forbidden" is refused (400); one with "censored" is charged and fails later.
While it runs: GET /_ledger?summary shows what was asked and charged, POST /_faults changes the faults.
`;

/** `flux-batch simulate`: runs the simulated API in the foreground until it is stopped. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .addOption(
      new Option('--provider <name>', 'whose API (kie; kie-jobs is part of it)').choices(['kie', 'kie-jobs', 'bfl']),
    )
    .option('--port <port>', 'where to listen; 0 takes a free port', wholeNumber, DEFAULT_PORT)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--public-url <url>', 'what image URLs begin with, when others reach it by another name')
    .option('--api-key <key>', 'the key that it accepts')
    .option('--rate <rate>', 'new tasks allowed (20/10s)', parseRate)
    .addOption(new Option('--window <kind>', 'how the rate is counted (sliding)').choices(['sliding', 'fixed']))
    .option('--refusals-count', 'a refused request takes a place in the window too')
    .option('--poll-rate <rate>', 'status queries allowed (10/1s)', parseRate)
    .option('--max-tasks <count>', 'tasks running at once (100)', wholeNumber)
    .addOption(new Option('--retry-after <kind>', 'what a 429 says of when to come back (none)').choices(RETRY_AFTER))
    .option('--median <duration>', 'how long a task takes, before scaling (12s)', parseDuration)
    .option('--sigma <number>', 'how much that varies: of the logarithm (0.35)', number)
    .option('--time-scale <factor>', 'multiplies task times and callback retries, e.g. 0.1', number)
    .option('--origin-ttl <duration>', 'life of original image URLs (10m)', parseDuration)
    .option('--stored-ttl <duration>', 'life of stored images (14d)', parseDuration)
    .option('--link-ttl <duration>', 'life of temporary links (20m)', parseDuration)
    .option('--upload-ttl <duration>', 'life of uploaded pictures (3d)', parseDuration)
    .option('--latency <duration>', 'added to every answer', parseDuration)
    .option('--jitter <duration>', 'up to so much more latency', parseDuration)
    .option('--slow-answer <duration>', 'how late the faults slow-answer and image-stall are (30s)', parseDuration)
    .option('--credits <count>', 'credits of the account (1000000)', wholeNumber)
    .option('--refund-failed', 'tasks that fail give their credits back')
    .option('--webhook-key <key>', 'signs the callbacks')
    .option('--callback-lost <share>', 'share of callbacks that never come', share)
    .option('--callback-twice <share>', 'share of callbacks that come twice', share)
    .option('--fault <fault>', 'what goes wrong, see below; repeatable', gatherFault)
    .option('--seed <number>', 'same seed, same durations and faults (1)', wholeNumber)
    .addOption(new Option('--pictures <kind>', 'with the prompt on it, or cheap (drawn)').choices(['drawn', 'plain']))
    .option('--image-size <pixels>', 'longest side (768)', wholeNumber)
    .option('--image-bytes <bytes>', 'size of plain pictures (100000)', wholeNumber)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Flags) => {
      const simulator = await startSimulator(optionsOf(flags));
      // Before it says that it listens: whoever reads that may stop it at once.
      const stop = onStopSignals({ stopsForFaults: false });
      process.stderr.write(
        `The simulator listens on ${simulator.url}\n${exportsOf(flags.provider, simulator)}Ctrl-C stops it.\n`,
      );
      if (!stop.signal.aborted) await once(stop.signal, 'abort');
      await simulator.close();
      stop.dispose();
      if (stop.fault) throw stop.fault;
    });
}

/** As commander parses them. A flag that was not given is absent, unless it has a default. */
type Flags = Pick<
  SimulatorOptions,
  | 'publicUrl'
  | 'apiKey'
  | 'rate'
  | 'window'
  | 'refusalsCount'
  | 'pollRate'
  | 'maxTasks'
  | 'retryAfter'
  | 'sigma'
  | 'timeScale'
  | 'credits'
  | 'refundFailed'
  | 'webhookKey'
  | 'seed'
  | 'pictures'
  | 'imageSize'
  | 'imageBytes'
> & {
  provider?: 'kie' | 'kie-jobs' | 'bfl';
  host: string;
  port: number;
  fault?: Fault[];
  median?: number;
  originTtl?: number;
  storedTtl?: number;
  linkTtl?: number;
  uploadTtl?: number;
  latency?: number;
  jitter?: number;
  slowAnswer?: number;
  callbackLost?: number;
  callbackTwice?: number;
};

function exportsOf(provider: Flags['provider'], { url, apiKey }: Simulator): string {
  const prefix = provider === 'bfl' ? 'BFL' : 'FLUX';
  return `  export ${prefix}_API_URL=${url}\n  export ${prefix}_API_KEY=${apiKey}\n`;
}

function optionsOf(flags: Flags): SimulatorOptions {
  const {
    provider,
    fault,
    median,
    originTtl,
    storedTtl,
    linkTtl,
    uploadTtl,
    latency,
    jitter,
    slowAnswer,
    callbackLost,
    callbackTwice,
    ...same
  } = flags;
  return {
    ...same,
    provider: provider === 'bfl' ? 'bfl' : 'kie',
    ...(fault !== undefined && { faults: fault }),
    ...(median !== undefined && { medianMs: median }),
    ...(originTtl !== undefined && { originTtlMs: originTtl }),
    ...(storedTtl !== undefined && { storedTtlMs: storedTtl }),
    ...(linkTtl !== undefined && { linkTtlMs: linkTtl }),
    ...(uploadTtl !== undefined && { uploadTtlMs: uploadTtl }),
    ...(latency !== undefined && { latencyMs: latency }),
    ...(jitter !== undefined && { jitterMs: jitter }),
    ...(slowAnswer !== undefined && { slowAnswerMs: slowAnswer }),
    ...(callbackLost !== undefined && { callbackLostShare: callbackLost }),
    ...(callbackTwice !== undefined && { callbackDuplicateShare: callbackTwice }),
  };
}

function gatherFault(text: string, before: Fault[] = []): Fault[] {
  return [...before, parseFaultText(text)];
}

function number(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new UsageError('number-invalid', `Expected a number, got "${text}"`);
  return Number(text);
}

function wholeNumber(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value)) throw new UsageError('number-invalid', `Expected a whole number, got "${text}"`);
  return value;
}

function share(text: string): number {
  const value = number(text);
  if (value > 1) throw new UsageError('number-invalid', `Expected a share from 0 to 1, got "${text}"`);
  return value;
}
