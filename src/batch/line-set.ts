/** Lines of an items file, counted from 0, as a string of bits in the order that Redis has them: the first is the highest of its byte. */
export type LineSet = Buffer;

export function noLines(lines: number): LineSet {
  return Buffer.alloc(Math.ceil(lines / 8));
}

export function addLine(set: LineSet, line: number): void {
  set[line >> 3] = (set[line >> 3] ?? 0) | (0x80 >> (line & 7));
}

export function dropLine(set: LineSet, line: number): void {
  set[line >> 3] = (set[line >> 3] ?? 0) & ~(0x80 >> (line & 7));
}

export function hasLine(set: LineSet, line: number): boolean {
  return ((set[line >> 3] ?? 0) & (0x80 >> (line & 7))) !== 0;
}

/** Whether any of so many lines from `first`, a multiple of 8, on are in it. */
export function hasLines(set: LineSet, first: number, count: number): boolean {
  return set.subarray(first >> 3, Math.ceil((first + count) / 8)).some((byte) => byte !== 0);
}
