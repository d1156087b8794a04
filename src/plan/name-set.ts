/**
 * A set of names that keeps only a 53-bit fingerprint of each: 8 bytes, where a million names as text take 200 MB.
 * `has` may be wrong: with a million names and a million lookups, the chance of one false match is 1 in 10,000.
 */
export type NameSet = { readonly size: number; has(name: string): boolean };

export async function nameSetOf(names: AsyncIterable<string>): Promise<NameSet> {
  let prints = new Float64Array(1_024);
  let size = 0;
  for await (const name of names) {
    if (size === prints.length) {
      const larger = new Float64Array(2 * size);
      larger.set(prints);
      prints = larger;
    }
    prints[size++] = fingerprint(name);
  }
  const sorted = prints.subarray(0, size).sort();
  return { size, has: (name) => holds(sorted, fingerprint(name)) };
}

function holds(sorted: Float64Array, wanted: number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}

/** A 53-bit hash, cyrb53 (public domain). */
export function fingerprint(name: string): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
