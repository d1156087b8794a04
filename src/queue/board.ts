import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { Queues } from './queues.ts';

/**
 * The queues as bull-board takes them. Read-only: a job removed or retried by hand is an item out of step with its record, and
 * what people may do to items are commands of ours.
 */
export function boardAdapters({ all }: Queues): BullMQAdapter[] {
  return all().map((queue) => {
    const adapter = new BullMQAdapter(queue, { readOnlyMode: true });
    // Whoever has an image's URL has the image.
    adapter.setFormatter('data', withoutUrls);
    adapter.setFormatter('progress', withoutUrls);
    adapter.setFormatter('returnValue', withoutUrls);
    return adapter;
  });
}

/** A copy whose URLs end after the host. */
function withoutUrls(data: unknown): unknown {
  if (data === undefined) return undefined;
  return JSON.parse(
    JSON.stringify(data, (_key, value: unknown) =>
      typeof value === 'string' && URL.canParse(value) && /^https?:/i.test(value)
        ? `${new URL(value).origin}/…`
        : value,
    ),
  );
}
