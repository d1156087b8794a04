/** The exit codes that scripts go by; part of the interface. */
export const EXIT = {
  allArchived: 0,
  someFailed: 1,
  usage: 2,
  stopped: 3,
} as const;
