/** Of the chain without any of our guarantees. */
export const BARE_QUEUES = ['bare-1', 'bare-2', 'bare-3'] as const;
