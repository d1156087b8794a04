import { z } from 'zod';
import { dropPlanSchema, mistakeSchema } from '../inbox/report.ts';

/** What may be said beside a drop. */
export const querySchema = z.object({
  name: z
    .string()
    .max(200)
    .regex(/^([^./\\][^/\\]*)?$/)
    .default('')
    .describe('The name of the file, for messages'),
  agree: z.coerce
    .number()
    .min(0)
    .exactOptional()
    .describe('What may be spent, in credits. Needed for more than CONFIRM_CREDITS: a plan names the price'),
  remake: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Whether archived images may be made, and paid for, again where the manifest was edited'),
});

export const headersSchema = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .exactOptional()
    .describe(
      'Names the request: sent again within a day with the same body, it gets the same answer and adds nothing',
    ),
});

export const plannedSchema = z.object({
  plan: dropPlanSchema,
  agree: z.number().nullable().describe('What to agree to: the price in credits; null where it is not known'),
  remake: z.boolean().describe('Whether `remake=true` has to be said'),
});

export const acceptedSchema = z.object({
  batch: z.string(),
  address: z.string().describe('The page of the batch, as in Location'),
  items: z.int(),
  submits: z.int().describe('Items that are to be submitted'),
  polls: z.int().describe('Items whose task runs already'),
  plan: dropPlanSchema,
});

export const refusedSchema = z.object({
  code: z.literal('drop-refused'),
  message: z.string(),
  mistakes: z.array(mistakeSchema),
  omitted: z.int().describe('How many more there are than are listed'),
});

export const unconfirmedSchema = z.object({
  code: z.enum(['spending-unconfirmed', 'remake-unconfirmed', 'request-under-way']),
  message: z.string(),
  plan: dropPlanSchema.exactOptional(),
});

export const failedSchema = z.object({ code: z.string(), message: z.string() });

/** As fastify and OpenAPI 3.1 take it. */
export function jsonSchemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}
