/** One line of the table: what was promised and what was measured. */
export type Row = { what: string; target: string; measured: string; met: boolean };

export type Bench = {
  name: string;
  /** `data` is everything that was measured, for results.json. `quick` is a short form whose figures prove little. */
  run(options: { quick: boolean }): Promise<{ rows: Row[]; data: unknown }>;
};
