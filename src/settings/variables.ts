import { z } from 'zod';
import { FluxError, UsageError } from '../errors.ts';
import { LOG_FORMATS } from '../logger.ts';
import { parseAmount, parseBudget } from '../money/amount.ts';
import { mistakeInRedisUrl } from '../redis/url.ts';
import { parseDuration, parseRate } from '../text/duration.ts';
import { isLoopbackUrl } from '../text/loopback.ts';

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
const REDIS_URLS = 'Expected redis://host:port/db, rediss://…, redis+unix://…, redis+cluster://… or redis+sentinel://…';

/** Also without its scheme, as curl takes it. */
const proxy = z
  .string()
  .transform((text) => (text.includes('://') ? text : `http://${text}`))
  .pipe(z.url({ protocol: /^https?$/, error: 'Expected http://host:port or https://host:port; NO_PROXY=* uses none' }));

/** A name or an address, with a port or without. */
const HOST = /^(\[[0-9a-f:.]+\]|[0-9a-f:]*:[0-9a-f:.]*|[\p{L}\p{N}._-]+)(:\d+)?$/iu;

/** In force where nothing is given. */
export const DEFAULTS: Readonly<Record<string, string>> = {
  FLUX_API_URL: 'https://api.kie.ai',
  BFL_API_URL: 'https://api.bfl.ai',
  BFL_RATE_LIMIT: '10/1s',
  BFL_POLL_LIMIT: '10/1s',
  BFL_MAX_TASKS: '24',
  BFL_CALLBACKS: 'false',
  FLUX_RATE_LIMIT: '20/10s',
  FLUX_POLL_LIMIT: '10/1s',
  FLUX_MAX_TASKS: '100',
  FLUX_SUBMIT_TIMEOUT: '30s',
  FLUX_POLL_GIVE_UP: '15m',
  FLUX_ORIGIN_TTL: '10m',
  FLUX_STORED_TTL: '14d',
  REDIS_ALLOW_EVICTION: 'false',
  FORGET_AFTER: '30d',
  FEED_WINDOW: '5000',
  ARCHIVE_URL: './archive',
  INPUT_URLS: 'auto',
  INPUT_URL_LIFE: '1h',
  INPUT_MAX_MB: '10',
  ON_UNKNOWN: 'hold',
  GENERATION_RETRIES: '0',
  UNKNOWN_LIMIT: '5',
  CONFIRM_CREDITS: '500',
  EMBED_METADATA: 'false',
  FETCH_ALLOW: '',
  PORT: '8787',
  INBOX_REST: '2s',
};

/** Every variable that we read. */
const variables = z.object({
  FLUX_API_KEY: z.string().exactOptional(),
  KIE_API_KEY: z.string().exactOptional(),
  BFL_API_KEY: z.string().exactOptional(),
  FLUX_API_URL: z.url({ protocol: /^https?$/ }),
  KIE_JOBS_URL: z.url({ protocol: /^https?$/ }).exactOptional(),
  KIE_UPLOAD_URL: z.url({ protocol: /^https?$/ }).exactOptional(),
  BFL_API_URL: z.url({ protocol: /^https?$/ }),
  FLUX_RATE_LIMIT: rate,
  FLUX_POLL_LIMIT: rate,
  FLUX_MAX_TASKS: whole(1),
  FLUX_CALLBACK_URL: z.url({ protocol: /^https?$/ }).exactOptional(),
  FLUX_WEBHOOK_KEY: z.string().exactOptional(),
  FLUX_SUBMIT_TIMEOUT: duration,
  FLUX_POLL_GIVE_UP: duration,
  FLUX_ORIGIN_TTL: duration,
  FLUX_STORED_TTL: duration,
  BFL_RATE_LIMIT: rate,
  BFL_POLL_LIMIT: rate,
  BFL_MAX_TASKS: whole(1),
  BFL_CALLBACKS: flag,
  FLUX_PRICES: z.string().exactOptional(),
  FLUX_LANES: z.string().exactOptional(),
  FLUX_MODELS: z.string().exactOptional(),
  REDIS_URL: z
    .string()
    .superRefine((url, context) => {
      const message = mistakeInRedisUrl(url);
      if (message !== undefined) context.addIssue({ code: 'custom', message: `${message}. ${REDIS_URLS}` });
    })
    .exactOptional(),
  REDIS_TLS_CA: z.string().exactOptional(),
  REDIS_ALLOW_EVICTION: flag,
  FORGET_AFTER: z.string().transform(through((text) => (text === 'never' ? undefined : parseDuration(text)))),
  FEED_WINDOW: whole(1),
  ARCHIVE_URL: z.string().min(1),
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).exactOptional(),
  S3_PUBLIC_ENDPOINT: z.url({ protocol: /^https?$/ }).exactOptional(),
  S3_FORCE_PATH_STYLE: flag.exactOptional(),
  S3_SSE: z.enum(['AES256', 'aws:kms']).exactOptional(),
  S3_SSE_KMS_KEY_ID: z.string().exactOptional(),
  S3_ACL: z
    .enum([
      'private',
      'public-read',
      'public-read-write',
      'authenticated-read',
      'aws-exec-read',
      'bucket-owner-read',
      'bucket-owner-full-control',
    ])
    .exactOptional(),
  S3_STORAGE_CLASS: z
    .string()
    .regex(/^(?!GLACIER$|DEEP_ARCHIVE$)[\w-]+$/, 'Expected a class that can be read at once: records are')
    .exactOptional(),
  S3_CACHE_CONTROL: z.string().exactOptional(),
  AWS_REGION: z.string().exactOptional(),
  HTTPS_PROXY: proxy.exactOptional(),
  HTTP_PROXY: proxy.exactOptional(),
  NO_PROXY: z
    .string()
    .transform((text) => text.split(/[,\s]+/).filter((part) => part !== ''))
    .exactOptional(),
  INPUT_URLS: z.enum(['auto', 'presign', 'upload']),
  INPUT_URL_LIFE: duration.pipe(
    z
      .number()
      .min(60_000, 'Expected 1m or more')
      .max(7 * 86_400_000, 'Expected 7d at most'),
  ),
  INPUT_MAX_MB: z.coerce.number().positive().max(100),
  ON_UNKNOWN: z.enum(['hold', 'resubmit']),
  GENERATION_RETRIES: whole(0),
  UNKNOWN_LIMIT: whole(0),
  EMBED_METADATA: flag,
  BUDGET_CREDITS: z.string().transform(through(parseBudget)).exactOptional(),
  CONFIRM_CREDITS: z.coerce.number().min(0),
  FETCH_ALLOW: list.refine(
    (hosts) => hosts.every((host) => HOST.test(host)),
    'Expected hosts such as images.example.org or 10.0.0.7:8080, with commas between; patterns such as * match nothing',
  ),
  LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).exactOptional(),
  FLUX_NOTIFY_URL: z
    .url({ protocol: /^https?$/ })
    .refine(isPrivate, 'Expected https, or http to this machine')
    .exactOptional(),
  LOG_FORMAT: z.enum(LOG_FORMATS).exactOptional(),
  INBOX_URL: z.string().min(1).exactOptional(),
  INBOX_BUDGET_EACH: z.string().transform(through(parseAmount)).exactOptional(),
  INBOX_BUDGET_TOTAL: z
    .string()
    .transform(through((text) => parseAmount(text.replace(/\s*\/\s*day$/, ''))))
    .exactOptional(),
  INBOX_REST: duration,
  PORT: whole(0),
  CALLBACK_PORT: whole(0).exactOptional(),
  SERVE_PASSWORD: z.string().min(1).exactOptional(),
  METRICS_TOKEN: z
    .string()
    .regex(/^\S{16,}$/, 'Expected 16 characters or more, without spaces, such as `openssl rand -hex 24` gives')
    .exactOptional(),
});
export type Variables = z.infer<typeof variables>;
export type VariableName = keyof Variables;

export const VARIABLE_NAMES: readonly VariableName[] = variables.keyof().options;
/** Programs disagree on how these are written: lower case is taken as well. */
export const PROXIES: readonly VariableName[] = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
/** Never shown whole. Whoever knows the address of a webhook can write to its channel. */
export const SECRET_VARIABLES: readonly VariableName[] = [
  'FLUX_API_KEY',
  'KIE_API_KEY',
  'BFL_API_KEY',
  'FLUX_WEBHOOK_KEY',
  'SERVE_PASSWORD',
  'FLUX_NOTIFY_URL',
  'METRICS_TOKEN',
];

/** They may stand in a file, named by the variable with _FILE behind it, as Docker's secrets do. */
export const FROM_FILES: readonly VariableName[] = [...SECRET_VARIABLES, 'REDIS_URL'];

/** What was given, over the defaults. Throws a UsageError (`config-invalid`) that lists every wrong variable. */
export function parseVariables(given: Readonly<Record<string, string>>, hint: string): Variables {
  const parsed = variables.safeParse({ ...DEFAULTS, ...given });
  const problems = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new UsageError('config-invalid', `The configuration is wrong:\n  ${problems.join('\n  ')}`, {
    hint,
  });
}

function contradictions(values: Variables): string[] {
  const { S3_SSE, S3_SSE_KMS_KEY_ID, FLUX_API_KEY, KIE_API_KEY, INPUT_URLS, ARCHIVE_URL } = values;
  const isOdd = S3_SSE_KMS_KEY_ID !== undefined && S3_SSE !== 'aws:kms';
  const isUnsigned = INPUT_URLS === 'presign' && !ARCHIVE_URL.startsWith('s3://');
  const areTwo = FLUX_API_KEY !== undefined && KIE_API_KEY !== undefined && FLUX_API_KEY !== KIE_API_KEY;
  return [
    ...(isOdd ? ['S3_SSE_KMS_KEY_ID: Expected S3_SSE=aws:kms beside it'] : []),
    ...(isUnsigned ? ['INPUT_URLS: Expected ARCHIVE_URL=s3://… beside presign: a folder has no URLs'] : []),
    ...(areTwo
      ? ['KIE_API_KEY: Expected the same key as FLUX_API_KEY, since both name one account, or only one of the two']
      : []),
  ];
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

/** Whether nobody on the way can read what is sent there. */
function isPrivate(url: string): boolean {
  return new URL(url).protocol === 'https:' || isLoopbackUrl(url);
}
