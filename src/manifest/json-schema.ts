import { z } from 'zod';
import { REQUIRED } from './rules.ts';
import { defaultsSchema, jobSchema, manifestSchema } from './schema.ts';

/**
 * The manifest as a JSON Schema (draft 2020-12), for editors. It refuses what can be seen without reading other files and
 * without filling in templates; the rest, such as ids given twice, only the loader sees.
 */
export function manifestJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(document, { target: 'draft-2020-12', io: 'input' });
}

/** `rows` and `prompts` exclude each other; with `prompts`, names and prompts may come from there. */
const job = jobSchema.meta({
  if: { required: ['prompts'] },
  else: { required: ['id'] },
  dependentSchemas: { prompts: { properties: { rows: false } } },
});

const { jobs: _, ...always } = REQUIRED;
const jobsUnlessIncluded = { if: { required: ['include'] }, else: { required: ['jobs'] } };

/** `prompt` may come from the defaults, all else that is required may not. */
const promptRequired = {
  if: { required: ['defaults'], properties: { defaults: { required: ['prompt'] } } },
  else: { properties: { jobs: { items: { if: { required: ['prompts'] }, else: { required: ['prompt'] } } } } },
};

const document = manifestSchema
  .extend({
    defaults: defaultsSchema.exactOptional().meta({
      description: 'For every job that does not say otherwise: any parameter of the API, variants and priority.',
    }),
    jobs: z.array(job).min(1).exactOptional().meta({ description: 'What to draw.' }),
  })
  .meta({ title: 'A flux-batch manifest', required: Object.keys(always), allOf: [jobsUnlessIncluded, promptRequired] });
