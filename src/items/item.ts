import { z } from 'zod';

/** Who makes images. The first is the default: an item that names none is its, and so has the id that it always had. */
export const PROVIDERS = ['kie', 'kie-jobs', 'bfl'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** Whose credits they are: both APIs of kie are of one account. */
export const ACCOUNTS = ['kie', 'bfl'] as const;
export type Account = (typeof ACCOUNTS)[number];
/** Who keeps the accounts of that name, of which there may be several (FLUX_LANES). */
export type Vendor = Account;

export function accountOf(provider: ProviderName): Account {
  return provider === 'bfl' ? 'bfl' : 'kie';
}

/** Of Flux Kontext at kie. The ratios of the API notes; `16:21` is offered by some resellers only. */
export const ASPECT_RATIOS = ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16', '16:21'] as const;
export const MODELS = ['flux-kontext-pro', 'flux-kontext-max'] as const;
export const OUTPUT_FORMATS = ['jpeg', 'png', 'webp'] as const;
/** Of the default provider where nothing is said, and of what it and another may make. */
export const BUILT_IN_FORMAT = 'jpeg';
/** Which places an image comes from, see sources.ts. */
export const SOURCE_KINDS = ['origin', 'stored', 'link'] as const;

/**
 * What is asked for, in words that all providers share; each adapter maps them to its own, see docs/providers.md. `callBackUrl` is not
 * part of it: it belongs to the deployment and not to the picture. For the default provider `outputFormat` is always explicit: the
 * file's name depends on it.
 */
export const imageRequestSchema = z.strictObject({
  /** Absent: the default. */
  provider: z.enum(PROVIDERS).exactOptional(),
  prompt: z.string().min(1),
  model: z.string().min(1),
  outputFormat: z.enum(OUTPUT_FORMATS).exactOptional(),
  aspectRatio: z.string().exactOptional(),
  /** Its presence switches Flux Kontext to editing mode. */
  inputImage: z.string().exactOptional(),
  inputImages: z.array(z.string()).exactOptional(),
  seed: z.int().exactOptional(),
  enableTranslation: z.boolean().exactOptional(),
  promptUpsampling: z.boolean().exactOptional(),
  safetyTolerance: z.int().min(0).max(6).exactOptional(),
  uploadCn: z.boolean().exactOptional(),
  watermark: z.string().exactOptional(),
  /** What only this model has, by the names that its API gives it. */
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).exactOptional(),
});
export type ImageRequest = z.infer<typeof imageRequestSchema>;

export function providerOf({ provider = PROVIDERS[0] }: Pick<ImageRequest, 'provider'>): ProviderName {
  return provider;
}

/** Whose account it is paid from. */
export function vendorOf(request: Pick<ImageRequest, 'provider'>): Vendor {
  return accountOf(providerOf(request));
}

/** One image to be made. `id` is unique in its batch and safe in file names, object keys and BullMQ job ids. */
export const itemSchema = z.strictObject({
  /** The name of its batch. */
  batch: z.string(),
  /** `<slug of its name>-<12 hex digits>`, see docs/design.md. */
  id: z.string(),
  /** The rendered `id` of the manifest's job, for people. */
  name: z.string(),
  /** 1-based; part of the id, so that equal requests make different items. */
  variant: z.int().min(1),
  /** As BullMQ has it: 1 is served first, 0 (none given) before all. */
  priority: z.int().min(0),
  /** What the templates were filled with: matrix values and row columns. */
  variables: z.record(z.string(), z.string()),
  /** What is sent to the provider. */
  request: imageRequestSchema,
  /** Who may make it, the preferred one first; absent: the one of `request` alone. One of them submits it, and then it is that one's. */
  providers: z.array(z.enum(PROVIDERS)).min(2).exactOptional(),
  /** Write prompt, model and ids into the image; absent where the manifest says nothing and the worker's setting counts. */
  embed: z.boolean().exactOptional(),
  /** When it was enqueued, epoch milliseconds. */
  queuedAt: z.number(),
});
/** An item that is enqueued: one image to be made. */
export type Item = z.infer<typeof itemSchema>;
/**
 * An item of a manifest: not enqueued yet. It has `batch`, `id`, `name`, `variant` (1-based), `priority` (1 is served first, 0 before
 * all), `variables` (texts by name), `request` (the body of the submit) and perhaps `providers` (who else may make it) and `embed`.
 */
export type NewItem = Omit<Item, 'queuedAt'>;

/** An item whose task runs at the provider. All times are epoch milliseconds. */
export const submittedSchema = itemSchema.extend({
  /** What its provider is asked by: opaque, for some a URL. */
  taskId: z.string().min(1),
  submittedAt: z.number(),
  /** When to stop asking. */
  giveUpAt: z.number(),
  /** False when the archive could not take the task id at once: the next step must, before anything else. */
  recorded: z.boolean(),
  /** What it costs by the provider's own word, in its credits. */
  credits: z.number().exactOptional(),
  /** Whose key it is asked for with, see docs/fleet.md; absent: that of the account that there is without lanes. */
  lane: z.string().exactOptional(),
});
export type Submitted = z.infer<typeof submittedSchema>;

const sourceSchema = z.strictObject({
  kind: z.enum(SOURCE_KINDS),
  url: z.string(),
  diesAt: z.number().exactOptional(),
});

/**
 * An item whose image can be fetched: at one of the two URLs, or, where these two do not say it all, at one of `sources`. They are what
 * workers of former versions read.
 */
export const finishedSchema = submittedSchema.extend({
  completedAt: z.number(),
  discoveredAt: z.number(),
  originUrl: z.string().exactOptional(),
  /** When the copy at the model's own host is deleted, or the first of `sources`. */
  originDiesAt: z.number(),
  storedUrl: z.string().exactOptional(),
  /** When the copy in the provider's storage is deleted, or the last of `sources`. */
  storedDiesAt: z.number(),
  sources: z.array(sourceSchema).min(1).exactOptional(),
  /** Further images of the task, from the second on. One without a source has a place in the answer and no URL. */
  more: z
    .array(z.strictObject({ sources: z.array(sourceSchema) }))
    .min(1)
    .exactOptional(),
});
export type Finished = z.infer<typeof finishedSchema>;

/** What was asked for, without what came of it. */
export function itemOf(item: Item): Item {
  const { batch, id, name, variant, priority, variables, request, embed, queuedAt } = item;
  return { batch, id, name, variant, priority, variables, request, ...listOf(item), ...embedOf({ embed }), queuedAt };
}

/** The providers of an item or a record, as a field; no field where one alone is named. */
export function listOf({ providers }: { providers?: ProviderName[] | undefined }): { providers?: ProviderName[] } {
  return providers === undefined ? {} : { providers };
}

/** The field where it has a value, and no field where it has none. */
export function embedOf({ embed }: { embed?: boolean | undefined }): { embed?: boolean } {
  return embed === undefined ? {} : { embed };
}

/** The lane that a task or a record names, as a field; no field where it names none. */
export function laneOf(named: { lane?: string | undefined } | undefined): { lane?: string } {
  return named?.lane === undefined ? {} : { lane: named.lane };
}
