import { z } from 'zod';
import { ASPECT_RATIOS, MODELS } from '../items/item.ts';
import { REQUIRED } from './rules.ts';
import { defaultsSchema, jobSchema, manifestSchema } from './schema.ts';

/**
 * The manifest as a JSON Schema (draft 2020-12), for editors. It finds mistakes that show without reading other files
 * and without filling in templates. Other mistakes, such as duplicate ids, only the loader finds.
 */
export function manifestJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(document, { target: 'draft-2020-12', io: 'input' });
}

/** A job has one of `rows`, `prompts` and `inputs`. With `prompts`, `id` and `prompt` may be left out; with `inputs`, `id`. */
const job = jobSchema.meta({
  if: { anyOf: [{ required: ['prompts'] }, { required: ['inputs'] }] },
  else: { required: ['id'] },
  dependentSchemas: {
    prompts: { properties: { rows: false } },
    inputs: { properties: { rows: false, prompts: false } },
  },
});

const { jobs: _, ...always } = REQUIRED;
const jobsUnlessIncluded = { if: { required: ['include'] }, else: { required: ['jobs'] } };

/** Of all required keys, only `prompt` may come from the defaults. */
const promptRequired = {
  if: { required: ['defaults'], properties: { defaults: { required: ['prompt'] } } },
  else: { properties: { jobs: { items: { if: { required: ['prompts'] }, else: { required: ['prompt'] } } } } },
};

/** Text that is no template has one of these values. */
const oneOf = (values: readonly string[]) => ({
  if: { type: 'string', not: { pattern: '\\{\\{' } },
  // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
  then: { enum: values },
});
/** What the default provider takes. Another is named by the job or by the defaults. */
const ofKontext = {
  properties: {
    model: oneOf(MODELS),
    aspectRatio: oneOf(ASPECT_RATIOS),
    outputFormat: oneOf(['jpeg', 'png']),
    ...{ inputImages: false, seed: false, parameters: false },
  },
};
const namesProvider = { required: ['provider'] };
const kontextUnlessNamed = {
  if: { required: ['defaults'], properties: { defaults: namesProvider } },
  else: { properties: { jobs: { items: { if: namesProvider, else: ofKontext } } } },
};

const document = manifestSchema
  .extend({
    defaults: defaultsSchema.exactOptional().meta({
      description: 'For every job that does not say otherwise: any parameter of the API, variants and priority.',
    }),
    jobs: z.array(job).min(1).exactOptional().meta({ description: 'What to draw.' }),
  })
  .meta({
    title: 'A flux-batch manifest',
    required: Object.keys(always),
    allOf: [jobsUnlessIncluded, promptRequired, kontextUnlessNamed],
  });
