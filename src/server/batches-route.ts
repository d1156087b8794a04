import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { enqueueManifest } from '../batch/enqueue.ts';
import { prioritized } from '../batch/priority.ts';
import { FluxError, messageOf } from '../errors.ts';
import { type Answer, redisAnswers } from '../fleet/answers.ts';
import { redisInboxBudget } from '../fleet/inbox-budget.ts';
import { reasonOfDay } from '../inbox/allowance.ts';
import { DROP_LIMITS } from '../inbox/limits.ts';
import { DropRefused, refusalOf } from '../inbox/mistake.ts';
import { openZip } from '../inbox/open-drop.ts';
import { type PlannedDrop, planDrop } from '../inbox/plan-drop.ts';
import { type DropPlan, priceOf } from '../inbox/report.ts';
import { expand } from '../manifest/manifest.ts';
import { creditsIn } from '../money/budget.ts';
import { type Connections, connect } from '../wiring/connections.ts';
import { once } from '../wiring/once.ts';
import type { Guard } from './access.ts';
import { headersSchema, querySchema } from './batch-answers.ts';
import { batchesSchema, plansSchema } from './batch-schemas.ts';
import { isForeign } from './foreign.ts';
import { dropOf, type ReceivedDrop, receiveDrops } from './receive-drop.ts';
import type { Serving } from './serving.ts';

type Said = z.infer<typeof querySchema>;

/** `POST /plans` and `POST /batches`: a manifest, or a zip with one, from the page or from a program. */
export function batchesRoute(serving: Serving, guard: Guard) {
  const { connections } = serving;
  const answers = redisAnswers(connections.redis, connections.keys);
  /** What only looks takes no names and needs fewer rights: this one adds jobs. */
  const taking = once(async () => {
    const opened = await connect(connections.config, { patient: false, prove: true });
    connections.closers.push(() => opened.closers.closeAll());
    return opened;
  });

  return async (server: FastifyInstance): Promise<void> => {
    server.addHook('onRequest', guard);
    server.addHook('onRequest', async (request, reply) => {
      if (isForeign(request.headers)) await reply.code(403).send(failure('foreign', 'Another site has sent this.'));
    });
    receiveDrops(server);
    // What comes in is parsed by zod: the schemas are for who reads the description.
    server.setValidatorCompiler(() => () => true);
    server.setSerializerCompiler(() => (data) => JSON.stringify(data));
    server.setErrorHandler<Error>((error, request, reply) => {
      const { status, body } = answerOf(error);
      if (status >= 500)
        connections.log.error({ path: request.routeOptions.url, reason: error.message }, 'request failed');
      return reply.code(status).send(body);
    });

    server.post('/plans', { schema: plansSchema }, async (request, reply) => {
      const said = querySchema.parse(request.query);
      const answer = await plannedAnswer(dropOf(request), said, connections);
      return send(reply, answer);
    });
    server.post('/batches', { schema: batchesSchema }, async (request, reply) => {
      const said = querySchema.parse(request.query);
      const drop = dropOf(request);
      const make = async () => batchAnswer(drop, said, nameOf(request), await taking());
      const answer = await answeredOnce(request, `${drop.digest} ${JSON.stringify(said)}`, answers, make);
      return send(reply, answer);
    });
  };
}

const accepted = z.looseObject({ address: z.string() });

function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  if (status === 202) reply.header('location', accepted.parse(body).address);
  return reply.code(status).send(body);
}

/** Under an Idempotency-Key the answer is kept for a day, but for one that says that something was out of reach. */
async function answeredOnce(
  request: FastifyRequest,
  print: string,
  answers: ReturnType<typeof redisAnswers>,
  make: () => Promise<Answer>,
): Promise<Answer> {
  const name = nameOf(request);
  if (name === undefined) return make();
  const asked = await answers.ask(name, print);
  if (asked.kind === 'answered') return asked.answer;
  if (asked.kind === 'other') {
    const message = 'This Idempotency-Key came with another request before';
    return { status: 422, body: { code: 'drop-refused', message, mistakes: [], omitted: 0 } };
  }
  if (asked.kind === 'under-way') {
    return {
      status: 409,
      body: failure('request-under-way', 'The first request with this Idempotency-Key is being answered'),
    };
  }
  try {
    const answer = await make();
    if (answer.status === 409) await answers.forget(name);
    else await answers.note(name, print, answer);
    return answer;
  } catch (error) {
    await answers.forget(name);
    throw error;
  }
}

async function plannedAnswer(drop: ReceivedDrop, said: Said, connections: Connections): Promise<Answer> {
  const read = await readDrop(drop, said, connections);
  if (read instanceof DropRefused) return refusedAnswer(read);
  const { plan } = read;
  return { status: 200, body: { plan, agree: plan.credits, remake: plan.isMuchMadeAgain || plan.lost > 0 } };
}

function nameOf(request: FastifyRequest): string | undefined {
  return headersSchema.parse(request.headers)['idempotency-key'];
}

async function batchAnswer(
  drop: ReceivedDrop,
  said: Said,
  name: string | undefined,
  connections: Connections,
): Promise<Answer> {
  const read = await readDrop(drop, said, connections);
  if (read instanceof DropRefused) return refusedAnswer(read);
  const { plan, manifest } = read;
  const most = said.agree ?? connections.config.confirmCredits;
  if (plan.toMake > 0 && (plan.credits === null ? said.agree === undefined : plan.credits > most)) {
    const message = `It costs ${priceOf(plan)}, more than the ${most} credits that were agreed to`;
    return { status: 409, body: { code: 'spending-unconfirmed', message, plan } };
  }
  if ((plan.isMuchMadeAgain || plan.lost > 0) && said.remake !== 'true') {
    const message = `${plan.madeAgain + plan.lost} images would be made, and paid for, again`;
    return { status: 409, body: { code: 'remake-unconfirmed', message, plan } };
  }
  const refused = await refusedByTheDay(plan, said, name, connections);
  if (refused) return refused;
  const { batch, digest } = manifest;
  const { items, submits, polls } = await enqueueManifest(
    connections,
    { batch, digest, remake: plan.lost > 0 },
    prioritized(expand(manifest), 0),
  );
  return { status: 202, body: { batch, address: `/batches/${batch}`, items, submits, polls, plan } };
}

/**
 * What is made by this way counts in the day's sum of the inboxes. Who agrees to a price is like the person who approves of a drop:
 * counted, and never refused.
 */
async function refusedByTheDay(
  plan: DropPlan,
  { agree }: Said,
  name: string | undefined,
  { redis, keys, clock, config, prices }: Connections,
): Promise<Answer | undefined> {
  if (plan.credits === null || plan.toMake === 0) return undefined;
  const { budgetTotal } = config.inbox;
  const most = agree === undefined && budgetTotal ? creditsIn(budgetTotal, prices) : undefined;
  const drop = `batches ${name ?? randomUUID()}`;
  if (await redisInboxBudget(redis, keys, clock).reserve(drop, plan.credits, most)) return undefined;
  const message = `It ${reasonOfDay(plan, most ?? 0).replace(/^it /, '')}; agree to its price to have it made`;
  return { status: 409, body: { code: 'spending-unconfirmed', message, plan } };
}

async function readDrop(
  { folder, path, isZip }: ReceivedDrop,
  { name }: Said,
  connections: Connections,
): Promise<PlannedDrop | DropRefused> {
  const file = name === '' ? (isZip ? 'drop.zip' : 'jobs.yaml') : name;
  let inside = folder;
  try {
    const opened = isZip
      ? await openZip(path, file, { folder, limits: DROP_LIMITS })
      : { folder, manifest: await named(path, join(folder, file)) };
    inside = opened.folder;
    return await planDrop(opened.manifest, connections);
  } catch (thrown) {
    const refusal = refusalOf(thrown, { folder: inside, file, cameAlone: !isZip });
    if (refusal) return refusal;
    throw thrown;
  }
}

/** Mistakes name the file as the sender does. */
async function named(path: string, wanted: string): Promise<string> {
  if (path !== wanted) await rename(path, wanted);
  return wanted;
}

function refusedAnswer({ message, mistakes, omitted }: DropRefused): Answer {
  return { status: 422, body: { code: 'drop-refused', message, mistakes, omitted } };
}

const failure = (code: string, message: string) => ({ code, message });

const STATUS: Readonly<Record<string, number>> = { 'drop-too-large': 413, 'drop-missing': 400 };

function answerOf(error: Error & { statusCode?: number }): Answer {
  if (error instanceof z.ZodError) return { status: 400, body: failure('request-invalid', z.prettifyError(error)) };
  if (error instanceof FluxError) {
    const status = STATUS[error.code] ?? 503;
    return { status, body: failure(error.code, messageOf(error)) };
  }
  const status = error.statusCode ?? 500;
  return { status, body: failure('request-failed', status >= 500 ? 'Something went wrong.' : error.message) };
}
