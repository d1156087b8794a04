import type { Server } from 'node:http';
import { UsageError } from '../errors.ts';
import { createAccount } from './account.ts';
import { createCallbacks } from './callbacks.ts';
import { createDownloads } from './downloads.ts';
import { createFaults, type Fault } from './faults.ts';
import { createImageUrls } from './image-urls.ts';
import { createInputs } from './inputs.ts';
import { type Ledger, ledgerOf, type SubmitSeen, startCounts, summaryOf } from './ledger.ts';
import { resolveOptions, type Settings, type SimulatorOptions } from './options.ts';
import { bflDialect, isUncharged } from './personalities/bfl.ts';
import { KEYED, KEYED_TELLING } from './personalities/keyed.ts';
import { KIE_JOBS } from './personalities/kie-jobs.ts';
import { BFL_TELLING, JOBS_TELLING } from './personalities/telling.ts';
import { createPictures } from './pictures/pictures.ts';
import { createRandom } from './random.ts';
import { createRateWindow } from './rate-window.ts';
import { createRecordInfo, type RecordInfoPorts } from './record-info.ts';
import { createRoutes, type RoutePorts } from './routes.ts';
import { createHttpServer } from './server.ts';
import { createCheckedSubmit, type SubmitPorts } from './submit.ts';
import { createTasks, type Task } from './tasks.ts';
import { createUploads } from './uploads.ts';

export type Simulator = {
  /** The base URL of the API, such as `http://127.0.0.1:34567`. */
  url: string;
  apiKey: string;
  /** All requests and charges so far. */
  ledger(): Ledger;
  /** Replaces the active faults. Throws a UsageError (`fault-invalid`) for an unknown name. */
  setFaults(faults: readonly Fault[]): void;
  /** What was uploaded so far is kept no longer, whatever was said of its life. */
  expireUploads(): void;
  close(): Promise<void>;
};

/**
 * A simulator over real HTTP: of kie's Flux Kontext and unified jobs APIs, or of that of Black Forest Labs. It shares no code with the client, so that a mistake in one is
 * not repeated in the other. It follows the API's documentation. Throws a UsageError (`listen-failed`,
 * `fault-invalid`).
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = resolveOptions(options);
  const randomFor = (stream: string) => createRandom(settings.seed, stream);
  const counts = startCounts(Date.now());
  const account = createAccount(settings.credits);
  const faults = createFaults(randomFor('faults'), settings.faults);
  let url = '';
  const urls = createImageUrls(() => url);
  const pictures = createPictures(settings);
  const callbacks = createCallbacks(settings, randomFor('callbacks'), urls, counts.callbacks);
  const tasks = createTasks(settings, randomFor('durations'), taskEnded);

  function taskEnded(task: Task) {
    if (task.ending.flag !== 1 ? isGivenBack(task, settings) : task.api === 'bfl' && isUncharged(task))
      account.refund(task.credits);
    callbacks.taskEnded(task);
  }
  function write(seen: SubmitSeen) {
    counts.submitLog.push(seen);
    if (seen.code === 429) counts.refused429.submits += 1;
  }

  const ledgerSources = { counts, tasks, account, faultHits: faults.hits };
  const submitWindow = createRateWindow(settings.window, settings.rate, settings.refusalsCount);
  const pollWindow = createRateWindow('sliding', settings.pollRate);
  const downloads = createDownloads({ settings, tasks, faults, urls, pictures, counts });
  const inputs = createInputs({ settings, counts });
  const uploads = createUploads({ settings, faults, counts, baseUrl: () => url });
  const submitting = {
    ...{ settings, tasks, account, takeSlot: submitWindow, faults, write, inputs },
    urlOf: (task: Task) => urls.of(task).originImageUrl,
  };
  const telling = { settings, tasks, takeSlot: pollWindow, faults, urls, counts };
  const route = createRoutes({
    apiKey: settings.apiKey,
    counts,
    write,
    provider: settings.provider,
    uploads,
    ...spoken(submitting, telling, () => url),
    link: downloads.link,
    image: downloads.image,
    balance: account.balance,
    ledger: () => ledgerOf(ledgerSources),
    summary: () => summaryOf(ledgerSources),
    setFaults: faults.set,
  });
  const { latencyMs, jitterMs } = settings;
  const server = createHttpServer(route, { latencyMs, jitterMs, random: randomFor('latency') });
  const listening = await listen(server, settings.host, settings.port);
  url = settings.publicUrl === '' ? listening : settings.publicUrl.replace(/\/$/, '');

  return {
    url,
    apiKey: settings.apiKey,
    ledger: () => ledgerOf(ledgerSources),
    setFaults: faults.set,
    expireUploads: uploads.expire,
    async close() {
      tasks.close();
      await callbacks.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What of a failed task is not charged in the end. */
function isGivenBack(task: Task, { refundFailed }: Settings): boolean {
  return refundFailed || task.api === 'jobs' || task.api === 'keyed' || (task.api === 'bfl' && isUncharged(task));
}

/** Each API at one place; which of them are reached is decided by the routes. */
function spoken(
  submitting: SubmitPorts,
  telling: RecordInfoPorts,
  baseUrl: () => string,
): Pick<RoutePorts, 'submits' | 'records'> {
  return {
    submits: {
      kontext: createCheckedSubmit(submitting),
      jobs: createCheckedSubmit({ ...submitting, dialect: KIE_JOBS }),
      bfl: createCheckedSubmit({ ...submitting, dialect: bflDialect(baseUrl) }),
      keyed: createCheckedSubmit({ ...submitting, dialect: KEYED }),
    },
    records: {
      kontext: createRecordInfo(telling),
      jobs: createRecordInfo(telling, JOBS_TELLING),
      bfl: createRecordInfo(telling, BFL_TELLING),
      keyed: createRecordInfo(telling, KEYED_TELLING),
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new UsageError('listen-failed', `Expected to listen on ${host}:${port}: ${cause.message}`, { cause })),
    );
    server.listen(port, host, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`);
    });
  });
}
