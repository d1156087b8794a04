import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { FluxError, UsageError } from './errors.ts';
import { parseDuration, parseRate } from './text/duration.ts';
import { passwordsIn, withoutPassword } from './text/scrub.ts';

const duration = z.string().transform(through(parseDuration));
const rate = z.string().transform(through(parseRate));
const whole = (least: number) => z.coerce.number().int().min(least);
const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

const DEFAULTS: Readonly<Record<string, string>> = {
  FLUX_API_URL: 'https://api.kie.ai',
  FLUX_RATE_LIMIT: '20/10s',
  FLUX_POLL_LIMIT: '10/1s',
  FLUX_MAX_TASKS: '100',
  FLUX_SUBMIT_TIMEOUT: '30s',
  FLUX_POLL_GIVE_UP: '15m',
  FLUX_ORIGIN_TTL: '10m',
  FLUX_STORED_TTL: '14d',
  REDIS_ALLOW_EVICTION: 'false',
  ARCHIVE_URL: './archive',
  S3_FORCE_PATH_STYLE: 'false',
  ON_UNKNOWN: 'hold',
  GENERATION_RETRIES: '0',
  UNKNOWN_LIMIT: '5',
  CONFIRM_CREDITS: '500',
  EMBED_METADATA: 'false',
  FETCH_ALLOW: '',
  PORT: '8787',
};

/** Every variable that we read. */
const variables = z.object({
  FLUX_API_KEY: z.string().exactOptional(),
  FLUX_API_URL: z.url({ protocol: /^https?$/ }),
  FLUX_RATE_LIMIT: rate,
  FLUX_POLL_LIMIT: rate,
  FLUX_MAX_TASKS: whole(1),
  FLUX_CALLBACK_URL: z.url({ protocol: /^https?$/ }).exactOptional(),
  FLUX_WEBHOOK_KEY: z.string().exactOptional(),
  FLUX_SUBMIT_TIMEOUT: duration,
  FLUX_POLL_GIVE_UP: duration,
  FLUX_ORIGIN_TTL: duration,
  FLUX_STORED_TTL: duration,
  FLUX_PRICES: z.string().exactOptional(),
  REDIS_URL: z
    .string()
    .regex(
      /^rediss?(\+cluster|\+sentinel)?:\/\//,
      'Expected redis://…, rediss://…, redis+cluster://… or redis+sentinel://…',
    )
    .exactOptional(),
  REDIS_TLS_CA: z.string().exactOptional(),
  REDIS_ALLOW_EVICTION: flag,
  ARCHIVE_URL: z.string().min(1),
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).exactOptional(),
  S3_FORCE_PATH_STYLE: flag,
  AWS_REGION: z.string().exactOptional(),
  ON_UNKNOWN: z.enum(['hold', 'resubmit']),
  GENERATION_RETRIES: whole(0),
  UNKNOWN_LIMIT: whole(0),
  EMBED_METADATA: flag,
  BUDGET_CREDITS: z.coerce.number().positive().exactOptional(),
  CONFIRM_CREDITS: z.coerce.number().min(0),
  FETCH_ALLOW: list,
  LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).exactOptional(),
  PORT: whole(0),
  SERVE_PASSWORD: z.string().min(1).exactOptional(),
});
type Variables = z.infer<typeof variables>;

const SECRETS: readonly string[] = ['FLUX_API_KEY', 'FLUX_WEBHOOK_KEY', 'SERVE_PASSWORD'];
const PRIVATE_STATE_DIR = '.flux-batch';
const EXPLAINED = '.env.example explains each variable.';

/** Resolved once, read-only, complete. Times are milliseconds. */
export type Config = Readonly<{
  apiKey: string | undefined;
  apiUrl: string;
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
  /** Undefined: a private server under `stateDir`. */
  redisUrl: string | undefined;
  /** A file of certificates to trust, PEM; undefined: the system's. */
  redisTlsCa: string | undefined;
  allowEviction: boolean;
  stateDir: string;
  archiveUrl: string;
  s3: { endpoint: string | undefined; forcePathStyle: boolean; region: string | undefined };
  onUnknown: 'hold' | 'resubmit';
  generationRetries: number;
  /** Write prompt, model and ids into the images' own metadata. */
  embed: boolean;
  /** So many unknown outcomes within a minute stop submitting; 0: never. */
  unknownLimit: number;
  /** What a batch may cost; it goes with the batch when that is enqueued. */
  budgetCredits: number | undefined;
  /** To spend more than this, a person is asked first. */
  confirmCredits: number;
  fetchAllow: readonly string[];
  /** Undefined: a worker logs, a command that talks to a person does not. */
  logLevel: Exclude<Variables['LOG_LEVEL'], undefined> | undefined;
  port: number;
  /** Undefined: the server's pages are for its own machine only. */
  servePassword: string | undefined;
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
  return configOf(resolve(gather(overrides).given, `flux-batch config prints what is in force; ${EXPLAINED}`));
}

/** What was given over defaults, and nothing else: neither the environment nor `.env` is looked at. Throws as `loadConfig`. */
export function configFrom(settings: GivenSettings): Config {
  const given: Record<string, string> = {};
  for (const name of variables.keyof().options) {
    const value = settings[name];
    if (value !== undefined && value !== '') given[name] = String(value);
  }
  return configOf(resolve(given, EXPLAINED));
}

function configOf(values: Variables): Config {
  return {
    apiKey: values.FLUX_API_KEY,
    apiUrl: values.FLUX_API_URL.replace(/\/+$/, ''),
    rateLimit: values.FLUX_RATE_LIMIT,
    pollLimit: values.FLUX_POLL_LIMIT,
    maxTasks: values.FLUX_MAX_TASKS,
    callbackUrl: values.FLUX_CALLBACK_URL,
    webhookKey: values.FLUX_WEBHOOK_KEY,
    submitTimeoutMs: values.FLUX_SUBMIT_TIMEOUT,
    pollGiveUpMs: values.FLUX_POLL_GIVE_UP,
    originTtlMs: values.FLUX_ORIGIN_TTL,
    storedTtlMs: values.FLUX_STORED_TTL,
    pricesFile: values.FLUX_PRICES,
    redisUrl: values.REDIS_URL,
    redisTlsCa: values.REDIS_TLS_CA,
    allowEviction: values.REDIS_ALLOW_EVICTION,
    stateDir: PRIVATE_STATE_DIR,
    archiveUrl: values.ARCHIVE_URL,
    s3: { endpoint: values.S3_ENDPOINT, forcePathStyle: values.S3_FORCE_PATH_STYLE, region: values.AWS_REGION },
    onUnknown: values.ON_UNKNOWN,
    generationRetries: values.GENERATION_RETRIES,
    unknownLimit: values.UNKNOWN_LIMIT,
    embed: values.EMBED_METADATA,
    budgetCredits: values.BUDGET_CREDITS,
    confirmCredits: values.CONFIRM_CREDITS,
    fetchAllow: values.FETCH_ALLOW,
    logLevel: values.LOG_LEVEL,
    port: values.PORT,
    servePassword: values.SERVE_PASSWORD,
    secrets: secretsOf(values),
  };
}

function secretsOf(values: Variables): string[] {
  const { AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  return [
    values.FLUX_API_KEY,
    values.FLUX_WEBHOOK_KEY,
    values.SERVE_PASSWORD,
    ...[values.REDIS_URL, values.FLUX_API_URL, values.S3_ENDPOINT, values.ARCHIVE_URL].flatMap(passwordsIn),
    AWS_SECRET_ACCESS_KEY,
    AWS_SESSION_TOKEN,
  ].filter((secret) => secret !== undefined);
}

/** What is in force, a line a variable, secrets masked and passwords taken out of URLs. */
export function describeConfig(overrides: Overrides = {}): ConfigLine[] {
  const { given, origins } = gather(overrides);
  resolve(given, EXPLAINED);
  return variables.keyof().options.map((name) => ({
    name,
    value: mask(name, given[name] ?? DEFAULTS[name] ?? ''),
    origin: origins[name] ?? 'default',
  }));
}

function resolve(given: Readonly<Record<string, string>>, hint: string): Variables {
  const parsed = variables.safeParse({ ...DEFAULTS, ...given });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new UsageError('config-invalid', `The configuration is wrong:\n  ${problems.join('\n  ')}`, {
    hint,
  });
}

function gather(overrides: Overrides): { given: Record<string, string>; origins: Record<string, Origin> } {
  const file = readDotEnv();
  for (const [name, value] of Object.entries(file)) process.env[name] ??= value;
  const given: Record<string, string> = {};
  const origins: Record<string, Origin> = {};
  for (const name of variables.keyof().options) {
    const value = overrides[name] ?? process.env[name];
    // An empty variable is how compose files and shells say "unset".
    if (value === undefined || value === '') continue;
    given[name] = value;
    origins[name] = overrides[name] !== undefined ? 'flag' : file[name] === value ? '.env' : 'environment';
  }
  return { given, origins };
}

function readDotEnv(): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(join(process.cwd(), '.env'), 'utf8');
  } catch {
    return {};
  }
  return Object.fromEntries(
    Object.entries(parseEnv(text)).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function mask(name: string, value: string): string {
  if (value === '') return '(not set)';
  if (SECRETS.includes(name))
    return `${value.slice(0, 2)}…${value.length > 8 ? value.slice(-2) : ''} (${value.length} characters)`;
  return withoutPassword(value);
}

/** A parser that throws a FluxError, as a zod transform. */
function through<T>(parse: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof FluxError ? error.message : String(error) });
      return z.NEVER;
    }
  };
}
