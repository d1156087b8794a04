export type Size = { width: number; height: number };

/** `16:9`, 768 → 768 × 432. */
export function sizeOf(ratio: string, longestSide: number): Size {
  const [across = 1, down = 1] = ratio.split(':').map(Number);
  const scale = longestSide / Math.max(across, down);
  return { width: Math.round(across * scale), height: Math.round(down * scale) };
}
