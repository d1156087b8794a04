import { FluxError, messageOf } from '../errors.ts';
import { refusedCertificate } from '../network/certificates.ts';
import { ProxyRefused } from '../network/proxy.ts';
import { DeadlineError } from './deadline.ts';
import { errorCodeOf } from './folder-errors.ts';
import { hostOf } from './s3-host.ts';

export type S3Place = { bucket: string; endpoint: string | undefined; doing: string; key?: string };

/** Maps an error of S3 or of the network to the archive's error codes, with a message and a hint for people. */
export function s3Error(thrown: unknown, at: S3Place): FluxError {
  if (thrown instanceof FluxError) return thrown;
  const { name, status, attempts } = s3Answer(thrown);
  const verdict = verdictOf(thrown, at);
  return new FluxError(verdict.code, `Cannot ${at.doing} the bucket ${at.bucket}: ${verdict.why}`, {
    facts: { bucket: at.bucket, key: at.key, endpoint: at.endpoint, s3Code: name, status, attempts },
    ...(verdict.hint !== undefined && { hint: verdict.hint }),
    cause: thrown,
  });
}

type S3Answer = {
  /** The S3 code. */
  name: string;
  status: number | undefined;
  /** How often the SDK has sent it. */
  attempts: number;
  headers: Readonly<Record<string, string | undefined>>;
};

/** The parts of an SDK error that matter. */
export function s3Answer(thrown: unknown): S3Answer {
  const metadata = objectIn(thrown, '$metadata');
  const numberAt = (key: string) => {
    const value: unknown = Reflect.get(metadata, key);
    return typeof value === 'number' ? value : undefined;
  };
  const headers = Object.entries(objectIn(objectIn(thrown, '$response'), 'headers'));
  return {
    name: thrown instanceof Error ? thrown.name : '',
    status: numberAt('httpStatusCode'),
    attempts: numberAt('attempts') ?? 1,
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)])),
  };
}

function objectIn(owner: unknown, key: string): object {
  const value: unknown = typeof owner === 'object' && owner !== null ? Reflect.get(owner, key) : undefined;
  return typeof value === 'object' && value !== null ? value : {};
}

/** An element of the error that the server sent, such as `Region`. */
export function errorField(thrown: unknown, name: string): string | undefined {
  const value: unknown = thrown instanceof Error ? Reflect.get(thrown, name) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const UNSUPPORTED = new Set(['NotImplemented', 'InvalidArgument', 'InvalidRequest', 'UnsupportedOperation']);

/** The server does not know something that a request asks for: a condition, a checksum. */
export function isUnsupported(thrown: unknown): boolean {
  const { name, status } = s3Answer(thrown);
  return status === 501 || (status === 400 && UNSUPPORTED.has(name));
}

type Verdict = {
  code: 'archive-unreachable' | 'archive-denied' | 'archive-full' | 'archive-corrupt';
  why: string;
  hint?: string;
};

const CREDENTIALS =
  'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN for temporary ones), or AWS_PROFILE.';
const RIGHTS = 'They need s3:PutObject, s3:GetObject and s3:ListBucket on it, and s3:CreateBucket to make it.';
const WRONG_SECRET = 'Check AWS_SECRET_ACCESS_KEY for a cut or quoted value.';
const EXPIRED = 'Renew them (for instance with `aws sso login`) and run the same command again to go on.';
const SPACE = 'Free some space or raise the quota, then run the same command again to go on.';
const ENDPOINT = 'Is S3_ENDPOINT right, and its server running?';

const ELSEWHERE: Verdict = {
  code: 'archive-denied',
  why: 'it is in another region, or at another address',
  hint: "Set AWS_REGION=… to the bucket's region (its page in the console names it), or S3_ENDPOINT to its address.",
};

const BY_NAME: Readonly<Record<string, Verdict>> = {
  CredentialsProviderError: { code: 'archive-denied', why: 'no credentials were found', hint: CREDENTIALS },
  InvalidAccessKeyId: {
    code: 'archive-denied',
    why: 'the server does not know this access key',
    hint: 'Check AWS_ACCESS_KEY_ID, and that S3_ENDPOINT is the server it belongs to.',
  },
  SignatureDoesNotMatch: {
    code: 'archive-denied',
    why: 'the secret key does not fit the access key',
    hint: WRONG_SECRET,
  },
  AccessDenied: { code: 'archive-denied', why: 'the credentials do not have the right', hint: RIGHTS },
  ExpiredToken: { code: 'archive-denied', why: 'the credentials have expired', hint: EXPIRED },
  TokenRefreshRequired: { code: 'archive-denied', why: 'the credentials have expired', hint: EXPIRED },
  InvalidToken: { code: 'archive-denied', why: 'the session token is not valid', hint: 'Check AWS_SESSION_TOKEN.' },
  RequestTimeTooSkewed: {
    code: 'archive-denied',
    why: "this machine's clock is too far from the server's",
    hint: 'Set the clock right (NTP).',
  },
  NoSuchBucket: { code: 'archive-denied', why: 'it does not exist', hint: 'Check ARCHIVE_URL, or make the bucket.' },
  BucketAlreadyExists: {
    code: 'archive-denied',
    why: 'the name belongs to somebody else',
    hint: 'Choose another bucket in ARCHIVE_URL.',
  },
  InvalidBucketName: {
    code: 'archive-denied',
    why: 'it is not a valid bucket name',
    hint: 'Bucket names are 3 to 63 lower-case letters, digits, dots and hyphens.',
  },
  PermanentRedirect: ELSEWHERE,
  TemporaryRedirect: ELSEWHERE,
  AuthorizationHeaderMalformed: ELSEWHERE,
  SecondLevelDomainForbidden: {
    code: 'archive-denied',
    why: "the server wants the bucket's name in the host name",
    hint: 'Set S3_FORCE_PATH_STYLE=false.',
  },
  QuotaExceeded: { code: 'archive-full', why: 'its quota is used up', hint: SPACE },
  XMinioStorageFull: { code: 'archive-full', why: 'the server has no space left', hint: SPACE },
  InsufficientStorage: { code: 'archive-full', why: 'the server has no space left', hint: SPACE },
  BadDigest: { code: 'archive-corrupt', why: 'the server received other bytes than were sent' },
  XAmzContentSHA256Mismatch: { code: 'archive-corrupt', why: 'the server received other bytes than were sent' },
  XAmzContentChecksumMismatch: { code: 'archive-corrupt', why: 'the server received other bytes than were sent' },
};

const BY_SYSTEM_CODE: Readonly<Record<string, { why: string; hint?: string }>> = {
  ECONNREFUSED: { why: 'nothing listens at its address', hint: ENDPOINT },
  ENOTFOUND: {
    why: 'the host name is not known',
    hint: 'Check S3_ENDPOINT. A server without a host name for each bucket needs S3_FORCE_PATH_STYLE=true.',
  },
  EAI_AGAIN: { why: 'the name server does not answer', hint: 'Is this machine online?' },
  EHOSTUNREACH: { why: 'there is no way to its address', hint: ENDPOINT },
  ENETUNREACH: { why: 'there is no way to its address', hint: 'Is this machine online?' },
  EPROTO: { why: 'it does not speak TLS', hint: 'Should S3_ENDPOINT begin with http://?' },
};

function verdictOf(thrown: unknown, at: S3Place): Verdict {
  const { name, status } = s3Answer(thrown);
  const known = BY_NAME[name];
  if (known) return inItsWords(known, thrown, at);
  const where = hostOf(thrown) ?? at.endpoint ?? 'AWS';
  if (thrown instanceof DeadlineError) {
    return { code: 'archive-unreachable', why: `${where} gave ${thrown.message}`, hint: ENDPOINT };
  }
  if (thrown instanceof ProxyRefused) {
    return { code: 'archive-unreachable', why: `${thrown.message} (to ${where})`, hint: thrown.hint };
  }
  const network = refusedCertificate(thrown) ?? BY_SYSTEM_CODE[errorCodeOf(thrown) ?? ''];
  if (network) return { ...network, code: 'archive-unreachable', why: `${network.why} (${where})` };
  const said = saidBy(thrown);
  return verdictOfStatus(status, said === undefined ? name : `${name}: ${said}`, where);
}

/** A code may stand for more than we know of: B2 answers AccessDenied to a used-up cap. So the server's own words stay. */
function inItsWords(known: Verdict, thrown: unknown, { endpoint }: S3Place): Verdict {
  const { name, status } = s3Answer(thrown);
  const said = status === undefined ? undefined : saidBy(thrown);
  const elsewhere = known === ELSEWHERE ? errorField(thrown, 'Endpoint') : undefined;
  const where = elsewhere === undefined ? '' : ` (${elsewhere}, not ${hostOf(thrown) ?? endpoint ?? 'AWS'})`;
  return {
    ...known,
    why: `${known.why}${where}${said === undefined || said === name ? '' : `; the server said: "${said}"`}`,
  };
}

const LONGEST_WORDS = 300;

function saidBy(thrown: unknown): string | undefined {
  const message = messageOf(thrown).trim().slice(0, LONGEST_WORDS);
  // `UnknownError` is the SDK's message for an answer that has none.
  return message === '' || message === 'UnknownError' ? undefined : message;
}

function verdictOfStatus(status: number | undefined, said: string, where: string): Verdict {
  if (status === undefined) return { code: 'archive-unreachable', why: `${said} (${where})`, hint: ENDPOINT };
  if (status === 401 || status === 403) return { code: 'archive-denied', why: said, hint: CREDENTIALS };
  if (status === 507) return { code: 'archive-full', why: said, hint: SPACE };
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    return { code: 'archive-unreachable', why: `${where} answered ${status} ${said}` };
  }
  // Any other status would come again at a retry. A person has to look at it.
  return {
    code: 'archive-denied',
    why: `${where} answered ${status} ${said}`,
    hint: 'Is S3_ENDPOINT the address of the S3 API?',
  };
}
