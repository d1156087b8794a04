import type { NewItem } from '../items/item.ts';

/** What the images of one job of a manifest have cost so far, in credits. */
export type JobCost = { job: string; items: number; credits: number };

type Ports = {
  /** In a manifest's order: the items of a job come together. */
  items: () => AsyncIterable<NewItem>;
  jobs: readonly { name: string; items: number }[];
  /** Credits of these items, in their order. */
  creditsOf: (ids: readonly string[]) => Promise<number[]>;
};

const AT_ONCE = 1_000;

/** Holds as many ids at a time as one question takes. */
export async function costByJob({ items, jobs, creditsOf }: Ports): Promise<JobCost[]> {
  const costs = jobs.map(({ name, items: count }) => ({ job: name, items: count, credits: 0 }));
  const owners = costs.flatMap((cost) => (cost.items > 0 ? [cost] : []));
  let [at, left] = [0, owners[0]?.items ?? 0];
  let asked: { id: string; owner: JobCost }[] = [];
  const settle = async () => {
    const credits = await creditsOf(asked.map(({ id }) => id));
    for (const [index, { owner }] of asked.entries()) owner.credits += credits[index] ?? 0;
    asked = [];
  };
  for await (const { id } of items()) {
    if (left === 0) left = owners[++at]?.items ?? 0;
    const owner = owners[at];
    if (!owner) break;
    left -= 1;
    if (asked.push({ id, owner }) === AT_ONCE) await settle();
  }
  if (asked.length > 0) await settle();
  return costs;
}
