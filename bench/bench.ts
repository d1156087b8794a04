/** One line of the table: what was promised and what was measured. */
export type Row = { what: string; target: string; measured: string; met: boolean };

export type Bench = {
  name: string;
  /** It waits for a clock and takes little processor: it runs beside others of its kind, before those that take much. */
  waits?: 'always' | 'when quick';
  /** Only by its name, since it takes minutes of its own. */
  apart?: boolean;
  /** `data` is everything that was measured, for results.json. `quick` is a short form whose figures prove little. */
  run(options: { quick: boolean }): Promise<{ rows: Row[]; data: unknown }>;
};
