import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.ts';
import { homeFolder } from '../files/home.ts';
import { withoutPassword } from '../text/scrub.ts';
import { isKey } from './key.ts';

const HINT = 'Give a folder (./archive), file:///path, or s3://bucket/prefix.';

/** Parses an archive URL: an S3 bucket, or the path of a folder. Throws a UsageError (`archive-url-invalid`). */
export function parseArchiveUrl(url: string): { kind: 's3' } | { kind: 'folder'; path: string } {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 's3') {
    parseS3Url(url);
    return { kind: 's3' };
  }
  if (scheme === 'file') return { kind: 'folder', path: pathOfFileUrl(url) };
  if (scheme !== undefined && url.includes('://')) throw invalid(url, `the scheme ${scheme}:// is not supported`);
  if (url.trim() === '') throw invalid(url, 'it is empty');
  // No shell expands `~` in an .env file. Without this, a folder named `~` would be created.
  if (!url.startsWith('~/')) return { kind: 'folder', path: url };
  const home = homeFolder();
  if (home === undefined) throw invalid(url, 'this user has no home folder, and HOME is not set');
  return { kind: 'folder', path: join(home, url.slice(2)) };
}

/** The bucket, and the prefix, which ends in `/` unless it is empty. Throws a UsageError (`archive-url-invalid`). */
export function parseS3Url(url: string): { bucket: string; prefix: string } {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/*(.*?)\/*$/i.exec(url) ?? [];
  // Wider than AWS's rules for new buckets: older buckets and other servers have other rules.
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
  // Some users write their keys into the URL. They must not get into a log.
  const url = withoutPassword(given);
  return new UsageError('archive-url-invalid', `The archive URL "${url}" cannot be used: ${why}`, {
    facts: { url },
    hint: HINT,
  });
}
