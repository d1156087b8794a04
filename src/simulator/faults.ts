import { z } from 'zod';
import { UsageError } from '../errors.ts';
import type { Random } from './random.ts';

/** Faults of `POST generate`. */
export const SUBMIT_FAULTS = [
  '429-storm',
  '401',
  '402',
  '455',
  '500-http',
  'code-500',
  'empty-body',
  'html-body',
  'truncated-body',
  'no-task-id',
  'reset-after-accept',
  'slow-answer',
  'id-snake-case',
  'id-number',
  'id-at-top',
  'code-text',
  'code-zero',
  'other-answer',
  'repeated-task-id',
] as const;
/** How a task ends. Drawn when the task is accepted, since polls and callback must agree. */
export const ENDING_FAULTS = ['flag-2', 'flag-3'] as const;
/** Faults of any status query. */
export const POLL_FAULTS = ['poll-404', 'poll-500', 'poll-html', 'poll-reset'] as const;
/** Faults of status queries whose answer is a success. */
export const RESPONSE_FAULTS = ['response-string', 'response-null', 'success-without-url', 'other-url-names'] as const;
/** Faults of image downloads, by any of the image's URLs. */
export const IMAGE_FAULTS = [
  'image-cut',
  'image-short',
  'image-long',
  'image-empty',
  'image-html',
  'image-wrong-format',
  'image-huge',
  'image-redirect',
  'image-redirect-inside',
  'image-stall',
  'image-500',
] as const;
/** Whole images that are not as they were asked for, by any of their URLs. */
export const WRAPPING_FAULTS = [
  'image-webp',
  'image-avif',
  'image-tiff',
  'image-gif',
  'image-mpo',
  'image-turned',
  'image-newline-behind',
  'image-nuls-behind',
  'image-newline-before',
  'image-33mb',
  'image-65mp',
  'encoding-empty',
  'encoding-none',
  'encoding-identity',
  'encoding-aws-chunked',
  'encoding-gzip',
  'encoding-br',
  'encoding-deflate',
  'status-203',
  'status-206',
] as const;
/** Small files in the place of the image that take much memory to decode. */
export const HOSTILE_FAULTS = [
  'image-bomb',
  'image-row-bomb',
  'image-interlaced-bomb',
  'image-interlaced',
  'image-webp-bomb',
  'image-webp-large',
  'image-gif-bomb',
] as const;
/** The image disappears from one of its hosts early, for good. */
export const ORIGIN_FAULTS = ['origin-dead'] as const;
export const STORED_FAULTS = ['stored-dead'] as const;
/** Faults of `POST /api/file-stream-upload`. */
export const UPLOAD_FAULTS = ['upload-500', 'upload-401', 'upload-html'] as const;

export const FAULT_NAMES = [
  ...SUBMIT_FAULTS,
  ...ENDING_FAULTS,
  ...POLL_FAULTS,
  ...RESPONSE_FAULTS,
  ...IMAGE_FAULTS,
  ...WRAPPING_FAULTS,
  ...HOSTILE_FAULTS,
  ...ORIGIN_FAULTS,
  ...STORED_FAULTS,
  ...UPLOAD_FAULTS,
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

const faultSchema = z
  .strictObject({
    name: z.enum(FAULT_NAMES, { error: (issue) => `${String(issue.input)} is not one of: ${FAULT_NAMES.join(', ')}` }),
    /** The share of requests that are hit, 0 to 1 … */
    share: z.number().min(0).max(1).optional(),
    /** … or the number of next requests that are hit. */
    times: z.int().min(1).optional(),
    /** Hit only the first request of its kind for a task (of submits: for the same parameters). */
    firstOnly: z.boolean().optional(),
    /** Of images: hit only the one of this number among those of its task. */
    image: z.int().min(1).optional(),
    /**
     * For submit faults whose answer leaves the outcome unknown: whether the task was accepted and charged. The default
     * is true, but false for `500-http` and `code-500`.
     */
    charged: z.boolean().optional(),
  })
  .refine(({ share, times }) => (share === undefined) !== (times === undefined), {
    error: 'expected either `share` or `times`',
  });
export type Fault = z.infer<typeof faultSchema>;

/** Throws a UsageError (`fault-invalid`) that lists the known names. */
export function parseFaults(raw: unknown): Fault[] {
  const parsed = z.array(faultSchema).safeParse(raw);
  if (!parsed.success) {
    throw new UsageError('fault-invalid', `Expected faults to be a list: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/**
 * `image-cut=0.05` is a share, `image-cut=3x` the next three requests. `,first` or `,charged` may follow. Throws a
 * UsageError (`fault-invalid`).
 */
export function parseFaultText(text: string): Fault {
  const [name = '', setting = ''] = text.split('=');
  const [amount = '', ...flags] = setting.split(',');
  const unknown = flags.find((flag) => flag !== 'first' && flag !== 'charged');
  if (!/^\d+(\.\d+)?$|^\d+x$/.test(amount) || unknown !== undefined) {
    throw new UsageError('fault-invalid', `Expected a fault such as image-cut=0.05 or image-cut=3x, got "${text}"`);
  }
  const often = amount.endsWith('x') ? { times: Number(amount.slice(0, -1)) } : { share: Number(amount) };
  const charged = flags.includes('charged') ? { charged: true } : {};
  const [fault] = parseFaults([{ name, ...often, ...charged, firstOnly: flags.includes('first') }]);
  if (!fault) throw new UsageError('fault-invalid', `Expected a fault, got "${text}"`);
  return fault;
}

export type Faults = {
  set(faults: readonly Fault[]): void;
  /** The first active fault among `names` that hits this request, which is for the image of this number where it is for one. */
  draw<Name extends FaultName>(
    names: readonly Name[],
    isFirst: boolean,
    image?: number,
  ): { name: Name; charged: boolean | undefined } | undefined;
  /** How often each fault has hit. */
  hits(): Record<string, number>;
};

export function createFaults(random: Random, initial: readonly Fault[]): Faults {
  let active: { fault: Fault; left: number }[] = [];
  const hits = new Map<FaultName, number>();

  const set: Faults['set'] = (faults) => {
    active = parseFaults(faults).map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
  };
  set(initial);

  return {
    set,
    draw(names, isFirst, image = 1) {
      for (const entry of active) {
        const name = names.find((candidate) => candidate === entry.fault.name);
        if (name === undefined || entry.left === 0 || (entry.fault.firstOnly && !isFirst)) continue;
        if (entry.fault.image !== undefined && entry.fault.image !== image) continue;
        if (entry.fault.share !== undefined && random() >= entry.fault.share) continue;
        entry.left -= 1;
        hits.set(name, (hits.get(name) ?? 0) + 1);
        return { name, charged: entry.fault.charged };
      }
      return undefined;
    },
    hits: () => Object.fromEntries(hits),
  };
}
