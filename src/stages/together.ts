/** Neither waits for the other, and both are over when this is. Throws what the first threw, else what the second did. */
export async function together<Value>(first: Promise<Value>, second: Promise<void>): Promise<Value> {
  const [value, done] = await Promise.allSettled([first, second]);
  if (value.status === 'rejected') throw value.reason;
  if (done.status === 'rejected') throw done.reason;
  return value.value;
}
