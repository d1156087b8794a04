import type { BatchFile } from '../archive/batch-file.ts';
import type { Config } from '../config.ts';
import { formatRate } from '../text/duration.ts';

type Facts = {
  config: Pick<Config, 'apiUrl' | 'rateLimit' | 'onUnknown' | 'budgetCredits'>;
  /** Of the manifest. */
  digest: string;
  /** Epoch milliseconds. */
  createdAt: number;
};

/** The file of a batch that has not ended. */
export function newBatchFile(batch: string, { config, digest, createdAt }: Facts): BatchFile {
  const { apiUrl, rateLimit, onUnknown, budgetCredits } = config;
  return {
    version: 1,
    batch,
    manifestDigest: digest,
    created: new Date(createdAt).toISOString(),
    settings: {
      apiUrl,
      rateLimit: formatRate(rateLimit),
      onUnknown,
      ...(budgetCredits === undefined ? {} : { budgetCredits }),
    },
  };
}
