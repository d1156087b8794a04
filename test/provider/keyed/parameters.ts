import { z } from 'zod';
import { imageRequestSchema } from '../../../src/items/item.ts';

/** What the API takes, in the words of a manifest. */
export const keyedParameters = imageRequestSchema
  .pick({ prompt: true })
  .extend({ model: z.enum(['slow', 'quick']), outputFormat: z.enum(['jpeg', 'png']).default('jpeg') });
