import { z } from 'zod';
import { ASPECT_RATIOS, imageRequestSchema, MODELS } from '../../items/item.ts';

/** The body of `POST /api/v1/flux/kontext/generate` without `callBackUrl`. The words of a manifest are its own. */
export const kontextParameters = imageRequestSchema
  .omit({ provider: true, inputImages: true, seed: true, parameters: true })
  .extend({
    model: z.enum(MODELS),
    outputFormat: z.enum(['jpeg', 'png']),
    aspectRatio: z.enum(ASPECT_RATIOS).exactOptional(),
  });
