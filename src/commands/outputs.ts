import { FluxError } from '../errors.ts';

/** What became of stdout. */
export type Outputs = {
  /** Why data could not be written, as on a full disk; undefined when it could, or when its reader has left. */
  failure(): FluxError | undefined;
  /** Whether this was thrown for a stream of ours, by who waits for it to take more. */
  isOurs(error: unknown): boolean;
};

/** The reader has left, as `head` does; the terminal was closed. */
const LEFT = ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'];

/**
 * No failure to write ends the process: it may have requests under way that cost money. Talk (stderr) is then lost, in silence.
 * Data (stdout) that nobody wants any more is no fault; data that cannot be written is told at the end.
 */
export function guardOutputs({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'> = process): Outputs {
  const seen = new WeakSet<Error>();
  let failed: FluxError | undefined;
  stderr.on('error', (error) => void seen.add(error));
  stdout.on('error', (error: Error & { code?: unknown }) => {
    seen.add(error);
    if (LEFT.includes(String(error.code))) return;
    failed ??= new FluxError('output-failed', `The output cannot be written: ${error.message}`, { cause: error });
  });
  return { failure: () => failed, isOurs: (error) => error instanceof Error && seen.has(error) };
}
