import { FluxError, messageOf } from '../errors.ts';
import { FileDeniedError } from './folder-errors.ts';

/**
 * What `read` gives. Throws a `FileDeniedError` where only this object cannot be read: it has rights of its own, is encrypted with a key that
 * we may not use, or lies in cold storage. `readBeside` reads an object of the same folder that need not be there.
 */
export async function orDeniedObject<T>(
  { key, url }: { key: string; url: string },
  read: () => Promise<T>,
  readBeside: () => Promise<unknown>,
): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    if (!isDenied(thrown) || !(await isPermitted(readBeside))) throw thrown;
  }
  try {
    // All may have been denied a moment ago, and be permitted again.
    return await read();
  } catch (thrown) {
    if (!isDenied(thrown)) throw thrown;
    const { s3Code, status } = thrown.facts;
    const said = thrown.cause === undefined ? thrown.message : messageOf(thrown.cause);
    throw new FileDeniedError('archive-denied', `Cannot read ${key} in ${url}, though others beside it: ${said}`, {
      facts: { key, s3Code, status },
      hint: 'Look at its rights, at the key that it is encrypted with, and at its storage class.',
      cause: thrown,
    });
  }
}

const isDenied = (thrown: unknown): thrown is FluxError =>
  thrown instanceof FluxError && thrown.code === 'archive-denied';

/** Not there is an answer, too. */
function isPermitted(read: () => Promise<unknown>): Promise<boolean> {
  return read().then(
    () => true,
    () => false,
  );
}
