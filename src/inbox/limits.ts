/** What is refused beyond: whoever may drop a file must not fill this machine's disk or memory with it. */
export type DropLimits = {
  /** Of a drop as it comes, zipped or not. */
  bytes: number;
  /** Of all that is in a zip. */
  unzippedBytes: number;
  files: number;
  /** How many times larger than in its zip a file may be, once it is larger than `ratioFromBytes`. */
  ratio: number;
  ratioFromBytes: number;
};

export const DROP_LIMITS: DropLimits = {
  bytes: 512 * 2 ** 20,
  unzippedBytes: 2 ** 30,
  files: 2_000,
  ratio: 100,
  ratioFromBytes: 16 * 2 ** 20,
};

/** For messages: `512 MB`. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20).toLocaleString('en-US')} MB`;
}
