import { readFile } from 'node:fs/promises';
import * as keda from '@kubernetes-models/keda/keda.sh/v1alpha1';
import * as apps from 'kubernetes-models/apps/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as core from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { describeConfig } from '../../src/config.ts';
import { parseRate } from '../../src/text/duration.ts';

/** Kinds by their group, each with the JSON schema that Kubernetes or KEDA publishes for it. */
const MODELS = { v1: core, 'apps/v1': apps, 'networking.k8s.io/v1': networking, 'keda.sh/v1alpha1': keda };

const manifest = z.looseObject({
  apiVersion: z.enum(['v1', 'apps/v1', 'networking.k8s.io/v1', 'keda.sh/v1alpha1']),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
type Manifest = z.infer<typeof manifest>;

async function manifests(): Promise<Manifest[]> {
  const files = ['flux-batch.yaml', 'archive-scaling.yaml'];
  const texts = files.map((file) => readFile(new URL(`../../deploy/kubernetes/${file}`, import.meta.url), 'utf8'));
  return (await Promise.all(texts)).flatMap((text) =>
    parseAllDocuments(text).map((document) => manifest.parse(document.toJS())),
  );
}

/** Throws what the schema has against it. */
function validate(object: Manifest): void {
  const model: unknown = Reflect.get(MODELS[object.apiVersion], object.kind);
  if (typeof model !== 'function') throw new Error(`Expected a kind of ${object.apiVersion}, got ${object.kind}`);
  Reflect.construct(model, [object]).validate();
}

async function find(kind: string, name: string): Promise<Manifest> {
  const found = (await manifests()).find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`no ${kind} named ${name}`);
  return found;
}

test('every manifest is what the schema of its kind wants', async () => {
  for (const object of await manifests()) expect(() => validate(object)).not.toThrow();
});

test('the schemas find mistakes', async () => {
  const serve = await find('Deployment', 'serve');
  expect(() => validate({ ...serve, spec: { replicas: 'two' } })).toThrow(/replicas|selector/);
});

test('every variable that they set is one that we read', async () => {
  const ours = new Set(describeConfig().map(({ name }) => name));
  const aws = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
  const { data } = z
    .looseObject({ data: z.record(z.string(), z.string()) })
    .parse(await find('ConfigMap', 'flux-batch'));
  const { stringData } = z
    .looseObject({ stringData: z.record(z.string(), z.string()) })
    .parse(await find('Secret', 'flux-batch'));
  for (const name of Object.keys({ ...data, ...stringData })) expect([...ours, ...aws]).toContain(name);
});

test('the ceiling of the archive workers follows from the rate limit', async () => {
  const { data } = z
    .looseObject({ data: z.object({ FLUX_RATE_LIMIT: z.string() }) })
    .parse(await find('ConfigMap', 'flux-batch'));
  const { spec } = z
    .looseObject({
      spec: z.looseObject({ maxReplicaCount: z.number(), scaleTargetRef: z.object({ name: z.string() }) }),
    })
    .parse(await find('ScaledObject', 'archive'));
  const { max, windowMs } = parseRate(data.FLUX_RATE_LIMIT);
  expect(spec.maxReplicaCount).toBe(Math.max(2, Math.ceil((2 * max * 1_000) / windowMs)));
  await find('Deployment', spec.scaleTargetRef.name);
});
