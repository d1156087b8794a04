import { fingerprint } from '../text/fingerprint.ts';

/**
 * A set of names that keeps only a 53-bit fingerprint of each: 8 bytes, where a million names as text take 200 MB.
 * `has` may be wrong: with a million names and a million lookups, the chance of one false match is 1 in 10,000.
 */
export type NameSet = { readonly size: number; has(name: string): boolean };

export async function nameSetOf(names: AsyncIterable<string>): Promise<NameSet> {
  const prints = printsOfNames();
  for await (const name of names) prints.add(name);
  return prints.asSet();
}

/** A set of names that are added one by one. */
export function printsOfNames(): { add(name: string): void; asSet(): NameSet } {
  let prints = new Float64Array(1_024);
  let size = 0;
  return {
    add(name) {
      if (size === prints.length) {
        const larger = new Float64Array(2 * size);
        larger.set(prints);
        prints = larger;
      }
      prints[size++] = fingerprint(name);
    },
    asSet() {
      const sorted = prints.subarray(0, size).sort();
      return { size, has: (name) => holds(sorted, fingerprint(name)) };
    },
  };
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
