import { FluxError } from '../errors.ts';

// A leading dot is kept for temporary files and probes; it also shuts out `.` and `..`.
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL and its kind are exactly what must not get through
const SEGMENT = /^[^./\\\u0000-\u001f][^/\\\u0000-\u001f]*$/;

/** Whether a key is one of ours: relative, `/`-separated, and unable to leave the archive. */
export function isKey(key: string): boolean {
  return key.split('/').every((segment) => SEGMENT.test(segment));
}

/** Stops a key that could name anything outside the archive. That one gets here is a mistake of the program. */
export function assertKey(key: string): void {
  if (!isKey(key)) throw new FluxError('internal', `Expected an archive key, got ${JSON.stringify(key)}`);
}

/** A prefix is a key that ends in `/`; the empty one means the whole archive. */
export function assertPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/') || !isKey(prefix.slice(0, -1))) {
    throw new FluxError('internal', `Expected an archive prefix that ends in "/", got ${JSON.stringify(prefix)}`);
  }
}
