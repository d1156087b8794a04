/** Scripts depend on these exit codes: they are part of the public interface. */
export const EXIT = {
  allArchived: 0,
  someFailed: 1,
  usage: 2,
  stopped: 3,
} as const;
