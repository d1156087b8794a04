/**
 * Maps in order, this many ahead of the reader: enough to hide a store's latency, few enough to hold. When the reader stops
 * early, what is under way is left to end unheard.
 */
export async function* readAhead<T, R>(
  source: AsyncIterable<T>,
  width: number,
  map: (one: T) => Promise<R>,
): AsyncGenerator<R> {
  const ahead: Promise<R>[] = [];
  for await (const one of source) {
    const mapped = map(one);
    // An error is met where the value is awaited, below; until then it must not count as unhandled.
    mapped.catch(() => {});
    ahead.push(mapped);
    const first = ahead.length < width ? undefined : ahead.shift();
    if (first) yield await first;
  }
  for (const mapped of ahead) yield await mapped;
}
