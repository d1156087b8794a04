import { FluxError } from '../errors.ts';

// A leading dot is reserved for temporary files and probes. Refusing it also excludes `.` and `..`.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be refused
const SEGMENT = /^[^./\\\u0000-\u001f][^/\\\u0000-\u001f]*$/;

/** Whether a key is valid: relative, separated by `/`, and unable to leave the archive (path traversal). */
export function isKey(key: string): boolean {
  return key.split('/').every((segment) => SEGMENT.test(segment));
}

/**
 * Throws a FluxError (`internal`) for a key that could name a file outside the archive. Only a bug in this program
 * makes one.
 */
export function assertKey(key: string): void {
  if (!isKey(key)) throw new FluxError('internal', `Expected an archive key, got ${JSON.stringify(key)}`);
}

/** A prefix is a key that ends in `/`. The empty one means the whole archive. Throws a FluxError (`internal`). */
export function assertPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/') || !isKey(prefix.slice(0, -1))) {
    throw new FluxError('internal', `Expected an archive prefix that ends in "/", got ${JSON.stringify(prefix)}`);
  }
}
