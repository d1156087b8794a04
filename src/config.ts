import { LOG_FORMATS, type LogFormat } from './logger.ts';
import type { Budget } from './money/amount.ts';
import type { ProxySettings } from './network/proxy.ts';
import { type BflSettings, bflSettings } from './settings/bfl-settings.ts';
import { readDotEnv } from './settings/dot-env.ts';
import { type InboxConfig, inboxSettings } from './settings/inbox-settings.ts';
import { type InputSettings, inputSettings } from './settings/input-settings.ts';
import { type Lane, lanesOf, secretsOf } from './settings/lanes.ts';
import { mask } from './settings/mask.ts';
import { plainConnections } from './settings/plain-connections.ts';
import { type S3Config, s3Settings } from './settings/s3-settings.ts';
import { givenOrInFile, secretIn } from './settings/secret-file.ts';
import { secretsIn } from './settings/secrets.ts';
import {
  DEFAULTS,
  FROM_FILES,
  PROXIES,
  parseVariables,
  VARIABLE_NAMES,
  type VariableName,
  type Variables,
} from './settings/variables.ts';
import { passwordsIn } from './text/scrub.ts';

const PRIVATE_STATE_DIR = '.flux-batch';
const EXPLAINED = '.env.example explains each variable.';

/** Resolved once, read-only, complete. Times are milliseconds. */
export type Config = Readonly<{
  apiKey: string | undefined;
  apiUrl: string;
  /** Of kie's unified jobs API, whose account is that of `apiUrl`. */
  kieJobsUrl: string;
  bfl: BflSettings;
  /** How pictures of one's own come to a provider. */
  inputs: InputSettings;
  /** The accounts: those of FLUX_LANES, or one for each vendor. */
  lanes: readonly Lane[];
  rateLimit: { max: number; windowMs: number };
  pollLimit: { max: number; windowMs: number };
  maxTasks: number;
  callbackUrl: string | undefined;
  webhookKey: string | undefined;
  submitTimeoutMs: number;
  pollGiveUpMs: number;
  originTtlMs: number;
  storedTtlMs: number;
  pricesFile: string | undefined;
  /** Models over those of models.json. */
  modelsFile: string | undefined;
  /** Undefined: a private server under `stateDir`. */
  redisUrl: string | undefined;
  /** A file of certificates to trust, PEM; undefined: the system's. */
  redisTlsCa: string | undefined;
  allowEviction: boolean;
  stateDir: string;
  archiveUrl: string;
  s3: S3Config;
  /** Of the API, images and S3 alike. */
  proxy: ProxySettings;
  /** So long after its end a batch is removed from Redis; undefined: never. */
  forgetAfterMs: number | undefined;
  /** So many waiting items of a batch are in Redis; the others wait in the archive. */
  feedWindow: number;
  onUnknown: 'hold' | 'resubmit';
  generationRetries: number;
  /** Write prompt, model and ids into the images' own metadata. */
  embed: boolean;
  /** So many unknown outcomes within a minute stop submitting; 0: never. */
  unknownLimit: number;
  /** What a batch may cost; it goes with the batch when that is enqueued. */
  budget: Budget | undefined;
  /** To spend more than this, a person is asked first. */
  confirmCredits: number;
  fetchAllow: readonly string[];
  /** Undefined: a worker logs, a command that talks to a person does not. */
  logLevel: Exclude<Variables['LOG_LEVEL'], undefined> | undefined;
  /** What all lines on stderr are; undefined: talk as it is, logs as JSON. */
  logFormat: LogFormat | undefined;
  /** Where the end of a run is told; a secret. */
  notifyUrl: string | undefined;
  inbox: InboxConfig;
  port: number;
  /** Where `serve` takes callbacks, apart from its pages; undefined: at `port`. */
  callbackPort: number | undefined;
  /** Undefined: the server's pages are for its own machine only. */
  servePassword: string | undefined;
  /** What a scraper may bring to /metrics as a bearer token. */
  metricsToken: string | undefined;
  /** What works and is a risk, each with what to do instead. */
  warnings: readonly string[];
  /** Every secret that we know of, to be kept out of whatever is written. */
  secrets: readonly string[];
}>;

/** Where each value came from, for `flux-batch config`. */
export type Origin = 'flag' | 'environment' | '.env' | 'default';
export type ConfigLine = { name: string; value: string; origin: Origin };
export type Overrides = Partial<Record<keyof Variables, string>>;
/** The same by name for programs; numbers and booleans are taken as well as their text. */
export type GivenSettings = { readonly [Name in keyof Variables]?: string | number | boolean | undefined };

/**
 * Flags over environment over `.env` over defaults. Throws a UsageError (`config-invalid`) that lists every wrong variable.
 * What `.env` holds is also put into the environment, for the AWS SDK reads its credentials from there.
 */
export function loadConfig(overrides: Overrides = {}): Config {
  const config = configOf(
    parseVariables(gather(overrides).given, `flux-batch config prints what is in force; ${EXPLAINED}`),
    (name) => givenOrInFile(name, (one) => process.env[one]),
  );
  if (overrides.REDIS_URL?.startsWith('@') || passwordsIn(overrides.REDIS_URL).length === 0) return config;
  const warning =
    'the password in --redis stands in the list of processes, for every user of this machine; --redis @file and REDIS_URL do not';
  return { ...config, warnings: [...config.warnings, warning] };
}

/** What was given over defaults, and nothing else: neither the environment nor `.env` is looked at. Throws as `loadConfig`. */
export function configFrom(settings: GivenSettings): Config {
  const given: Record<string, string> = {};
  // Who hands over `process.env` may have the names of proxies in lower case there.
  const byName = new Map<string, string | number | boolean | undefined>(Object.entries(settings));
  for (const name of VARIABLE_NAMES) {
    const value = namesOf(name)
      .map((spelt) => byName.get(spelt))
      .find((found) => found !== undefined && found !== '');
    if (value !== undefined && value !== '') given[name] = String(value);
  }
  const textOf = (name: string) => String(byName.get(name) ?? '');
  return configOf(parseVariables(given, EXPLAINED), (name) => givenOrInFile(name, textOf));
}

/** LOG_FORMAT alone, for what is said before all is read. A wrong one is told by `loadConfig`. */
export function logFormat(): LogFormat | undefined {
  const given = gather({}).given.LOG_FORMAT;
  return LOG_FORMATS.find((format) => format === given);
}

/** Whether a terminal may be redrawn in place: CI keeps each frame as lines, and a log is no display. */
export function mayRedraw(): boolean {
  const { CI = '', TERM } = process.env;
  return logFormat() === undefined && ['', 'false', '0'].includes(CI) && TERM !== 'dumb';
}

/** Whether the person's own shell is in the working folder. npm notes where it was when it runs a script, in the package's folder. */
export function isStartedHere(): boolean {
  return process.env.INIT_CWD === undefined || process.env.INIT_CWD === process.cwd();
}

function configOf(values: Variables, read: (variable: string) => string | undefined): Config {
  const lanes = lanesOf(values, read);
  const { FLUX_API_URL, KIE_JOBS_URL, KIE_UPLOAD_URL, BFL_API_URL, S3_ENDPOINT } = values;
  return {
    apiKey: values.FLUX_API_KEY ?? values.KIE_API_KEY,
    apiUrl: values.FLUX_API_URL.replace(/\/+$/, ''),
    kieJobsUrl: (values.KIE_JOBS_URL ?? values.FLUX_API_URL).replace(/\/+$/, ''),
    ...{ bfl: bflSettings(values), inputs: inputSettings(values), lanes },
    ...{ rateLimit: values.FLUX_RATE_LIMIT, pollLimit: values.FLUX_POLL_LIMIT, maxTasks: values.FLUX_MAX_TASKS },
    callbackUrl: values.FLUX_CALLBACK_URL,
    webhookKey: values.FLUX_WEBHOOK_KEY,
    submitTimeoutMs: values.FLUX_SUBMIT_TIMEOUT,
    pollGiveUpMs: values.FLUX_POLL_GIVE_UP,
    originTtlMs: values.FLUX_ORIGIN_TTL,
    storedTtlMs: values.FLUX_STORED_TTL,
    ...{ pricesFile: values.FLUX_PRICES, modelsFile: values.FLUX_MODELS },
    redisUrl: values.REDIS_URL,
    redisTlsCa: values.REDIS_TLS_CA,
    allowEviction: values.REDIS_ALLOW_EVICTION,
    stateDir: PRIVATE_STATE_DIR,
    archiveUrl: values.ARCHIVE_URL,
    s3: s3Settings(values),
    proxy: { http: values.HTTP_PROXY, https: values.HTTPS_PROXY, no: values.NO_PROXY ?? [] },
    forgetAfterMs: values.FORGET_AFTER,
    feedWindow: values.FEED_WINDOW,
    onUnknown: values.ON_UNKNOWN,
    generationRetries: values.GENERATION_RETRIES,
    unknownLimit: values.UNKNOWN_LIMIT,
    embed: values.EMBED_METADATA,
    budget: values.BUDGET_CREDITS,
    confirmCredits: values.CONFIRM_CREDITS,
    fetchAllow: values.FETCH_ALLOW,
    ...{ logLevel: values.LOG_LEVEL, logFormat: values.LOG_FORMAT },
    notifyUrl: values.FLUX_NOTIFY_URL,
    inbox: inboxSettings(values),
    ...{ port: values.PORT, callbackPort: values.CALLBACK_PORT },
    servePassword: values.SERVE_PASSWORD,
    metricsToken: values.METRICS_TOKEN,
    warnings: plainConnections({ FLUX_API_URL, KIE_JOBS_URL, KIE_UPLOAD_URL, BFL_API_URL, S3_ENDPOINT }),
    secrets: secretsIn(values, process.env, secretsOf(lanes)),
  };
}

/** What is in force, a line a variable, secrets masked and passwords taken out of URLs. */
export function describeConfig(overrides: Overrides = {}): ConfigLine[] {
  const { given, origins } = gather(overrides);
  parseVariables(given, EXPLAINED);
  return VARIABLE_NAMES.map((name) => ({
    name,
    value: mask(name, given[name] ?? DEFAULTS[name] ?? ''),
    origin: origins[name] ?? 'default',
  }));
}

function gather(overrides: Overrides): { given: Record<string, string>; origins: Record<string, Origin> } {
  const file = readDotEnv();
  for (const [name, value] of Object.entries(file)) process.env[name] ??= value;
  const given: Record<string, string> = {};
  const origins: Record<string, Origin> = {};
  for (const name of VARIABLE_NAMES) {
    const flag = overrideOf(name, overrides);
    // An empty variable is how compose files and shells say "unset".
    const spelt = [...namesOf(name), `${name}_FILE`].find((one) => Boolean(process.env[one]));
    const value = flag ?? (spelt === undefined ? undefined : givenBy(name, spelt));
    if (value === undefined || value === '') continue;
    given[name] = value;
    const isOfFile = spelt !== undefined && file[spelt] === process.env[spelt];
    origins[name] = flag !== undefined ? 'flag' : isOfFile ? '.env' : 'environment';
  }
  return { given, origins };
}

/** `--redis @file`, as with curl: a flag stands in the list of processes, and so would its password. */
function overrideOf(name: VariableName, overrides: Overrides): string | undefined {
  const value = overrides[name];
  return name === 'REDIS_URL' && value?.startsWith('@') ? secretIn(value.slice(1), '--redis') : value;
}

/** `spelt`: the variable that is set, which may name a file. */
function givenBy(name: VariableName, spelt: string): string | undefined {
  const value = process.env[spelt];
  if (value === undefined || spelt !== `${name}_FILE`) return value;
  return FROM_FILES.includes(name) ? secretIn(value, spelt) : undefined;
}

/** As it is spelt, the first that is set. */
function namesOf(name: VariableName): string[] {
  return PROXIES.includes(name) ? [name.toLowerCase(), name] : [name];
}
