/**
 * The base of all our errors. Programs and the retry table (src/stages/retry.ts) go by `code`; log lines carry `facts`;
 * `hint` tells a person what to do. Control flow must never depend on `message`.
 */
export class FluxError extends Error {
  /** The name of the class. */
  override readonly name: string = 'FluxError';
  /** What has happened, in words with hyphens: `redis-unreachable`. Stable, where messages are not. */
  readonly code: string;
  /** What it is about, by name: `{ batch: 'spring' }`. Never a secret. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** What to do about it; undefined where there is nothing to say. */
  readonly hint: string | undefined;

  constructor(
    code: string,
    message: string,
    options: { facts?: Record<string, unknown>; hint?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
    this.hint = options.hint;
  }
}

/** A mistake in the command line, the manifest or the configuration: exit code 2, nothing was done. */
export class UsageError extends FluxError {
  /** The name of the class. */
  override readonly name = 'UsageError';
}

/** The message of anything that was thrown, also of values that are not errors. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
