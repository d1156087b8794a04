/**
 * The one error family. `code` is what programs and the retry table go by, `facts` is what a log line carries, and
 * `hint` tells a person what to do. Control never flows by `message`.
 */
export class FluxError extends Error {
  override readonly name: string = 'FluxError';
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
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

/** The command line, the manifest or the configuration is wrong: exit code 2, nothing was done. */
export class UsageError extends FluxError {
  override readonly name = 'UsageError';
}

/** What to say of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
