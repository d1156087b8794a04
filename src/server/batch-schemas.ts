import type { FastifySchema } from 'fastify';
import {
  acceptedSchema,
  failedSchema,
  headersSchema,
  jsonSchemaOf,
  plannedSchema,
  querySchema,
  refusedSchema,
  unconfirmedSchema,
} from './batch-answers.ts';
import { MANIFEST_TYPES, ZIP_TYPES } from './receive-drop.ts';

const text = { schema: { type: 'string', description: 'A manifest, in YAML or as JSON' } };
const zip = {
  schema: { type: 'string', format: 'binary', description: 'A zip with a manifest and the files that it names' },
};

const body = {
  content: {
    ...Object.fromEntries(MANIFEST_TYPES.map((type) => [type, text])),
    ...Object.fromEntries(ZIP_TYPES.map((type) => [type, zip])),
  },
};

const answer = (description: string, schema: Parameters<typeof jsonSchemaOf>[0]) => ({
  ...jsonSchemaOf(schema),
  description,
});

const failures = {
  400: answer('The request is not as described', failedSchema),
  401: { type: 'string', description: 'The password is asked for' },
  403: answer('A page of another site has sent it, or these pages are for this machine only', failedSchema),
  413: answer('It is too large', failedSchema),
  415: answer('It is neither a manifest nor a zip', failedSchema),
  422: answer('It has mistakes; nothing was enqueued', refusedSchema),
  503: answer('Redis or the archive is out of reach', failedSchema),
};

export const plansSchema: FastifySchema & { summary: string; description: string } = {
  summary: 'What a manifest would do',
  description: 'Checks, counts and prices a manifest. Nothing is enqueued and nothing is spent.',
  querystring: jsonSchemaOf(querySchema.pick({ name: true })),
  body,
  response: { 200: answer('The plan', plannedSchema), ...failures },
};

export const batchesSchema: typeof plansSchema = {
  summary: 'Have a manifest made',
  description: 'Enqueues a manifest, if its price is agreed to. The same manifest again adds nothing.',
  querystring: jsonSchemaOf(querySchema),
  headers: jsonSchemaOf(headersSchema),
  body,
  response: {
    202: answer('It was enqueued; Location is its page', acceptedSchema),
    409: answer('What it costs, or makes again, was not agreed to; nothing was enqueued', unconfirmedSchema),
    ...failures,
  },
};
