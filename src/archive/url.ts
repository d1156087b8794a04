import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.ts';
import { withoutPassword } from '../text/scrub.ts';
import { isKey } from './key.ts';

const HINT = 'Give a folder (./archive), file:///path, or s3://bucket/prefix.';

/** Where an archive URL leads: to a bucket, or to a folder's path. Throws `archive-url-invalid`. */
export function parseArchiveUrl(url: string): { kind: 's3' } | { kind: 'folder'; path: string } {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 's3') {
    parseS3Url(url);
    return { kind: 's3' };
  }
  if (scheme === 'file') return { kind: 'folder', path: pathOfFileUrl(url) };
  if (scheme !== undefined && url.includes('://')) throw invalid(url, `the scheme ${scheme}:// is not supported`);
  if (url.trim() === '') throw invalid(url, 'it is empty');
  // An .env file is not read by a shell: without this a folder named `~` would be made.
  return { kind: 'folder', path: url.startsWith('~/') ? join(homedir(), url.slice(2)) : url };
}

/** The bucket, and the prefix with a `/` behind unless it is empty. Throws `archive-url-invalid`. */
export function parseS3Url(url: string): { bucket: string; prefix: string } {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/*(.*?)\/*$/i.exec(url) ?? [];
  // Wider than AWS, whose rules for new buckets are not those of old ones and of other servers.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/.test(bucket)) throw invalid(url, 'it has no valid bucket name');
  if (path !== '' && !isKey(path)) throw invalid(url, 'its prefix has empty parts or ones that begin with a dot');
  return { bucket, prefix: path === '' ? '' : `${path}/` };
}

function pathOfFileUrl(url: string): string {
  if (!/^file:\/\//i.test(url)) throw invalid(url, 'it is not an absolute path');
  try {
    return fileURLToPath(url);
  } catch {
    throw invalid(url, 'it is not a local absolute path');
  }
}

function invalid(given: string, why: string): UsageError {
  // Some write their keys into the URL; they are not to be in a log.
  const url = withoutPassword(given);
  return new UsageError('archive-url-invalid', `The archive URL "${url}" cannot be used: ${why}`, {
    facts: { url },
    hint: HINT,
  });
}
