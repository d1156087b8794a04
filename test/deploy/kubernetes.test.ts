import * as keda from '@kubernetes-models/keda/keda.sh/v1alpha1';
import * as apps from 'kubernetes-models/apps/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeConfig } from '../../src/config.ts';
import { parseRate } from '../../src/text/duration.ts';
import { VERSION } from '../../src/version.ts';
import { type Manifest, manifestsIn, readKustomization, render, variablesOf } from './kustomize.ts';

/** Kinds by their group, each with the JSON schema that Kubernetes or KEDA publishes for it. */
const MODELS: Readonly<Record<string, object>> = {
  v1: core,
  'apps/v1': apps,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
  'keda.sh/v1alpha1': keda,
};
const BASE = 'base';
const OVERLAY = 'overlays/example';

const manifests = async () => [...(await manifestsIn(BASE)), ...(await manifestsIn(OVERLAY))];

/** Throws what the schema has against it. */
function validate(object: Manifest): void {
  const model: unknown = Reflect.get(MODELS[object.apiVersion] ?? {}, object.kind);
  if (typeof model !== 'function') throw new Error(`Expected a kind of ${object.apiVersion}, got ${object.kind}`);
  Reflect.construct(model, [object]).validate();
}

async function find(kind: string, name: string): Promise<Manifest> {
  const found = (await manifests()).find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`no ${kind} named ${name}`);
  return found;
}

const pods = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string(), envFrom: z.array(z.unknown()) })) }),
    }),
  }),
});

const hardened = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        automountServiceAccountToken: z.unknown(),
        securityContext: z.unknown(),
        volumes: z.array(z.unknown()),
        containers: z.array(z.looseObject({ securityContext: z.unknown() })),
      }),
    }),
  }),
});

test('every manifest is what the schema of its kind wants', async () => {
  const all = await manifests();
  expect(all.length).toBeGreaterThan(6);
  for (const object of all) expect(() => validate(object)).not.toThrow();
});

test('the schemas find mistakes', async () => {
  const serve = await find('Deployment', 'serve');
  expect(() => validate({ ...serve, spec: { replicas: 'two' } })).toThrow(/replicas|selector/);
});

test('every variable that they set is one that we read', async () => {
  const ours = new Set(describeConfig().map(({ name }) => name));
  const aws = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
  const names = [...(await variablesOf(BASE)).keys(), ...(await variablesOf(OVERLAY)).keys()];
  expect(names).toContain('REDIS_URL');
  for (const name of names) expect([...ours, ...aws]).toContain(name);
});

test('the ceiling of the archive workers follows from the rate limit', async () => {
  const rate = (await variablesOf(BASE)).get('FLUX_RATE_LIMIT') ?? '';
  const { spec } = z
    .looseObject({
      spec: z.looseObject({ maxReplicaCount: z.number(), scaleTargetRef: z.object({ name: z.string() }) }),
    })
    .parse(await find('ScaledObject', 'archive'));
  const { max, windowMs } = parseRate(rate);
  expect(spec.maxReplicaCount).toBe(Math.max(2, Math.ceil((2 * max * 1_000) / windowMs)));
  await find('Deployment', spec.scaleTargetRef.name);
});

test('the images are of this version, and what the overlay calls by another name is what the base has', async () => {
  const { images = [] } = await readKustomization(OVERLAY);
  expect(images.map(({ name, newTag }) => `${name}:${newTag}`)).toEqual([`flux-batch:${VERSION}`]);
  const deployments = (await manifestsIn(BASE)).filter(({ kind }) => kind === 'Deployment');
  const used = deployments.flatMap((one) => pods.parse(one).spec.template.spec.containers.map(({ image }) => image));
  expect(new Set(used)).toEqual(new Set([`flux-batch:${VERSION}`]));
});

test('kustomize puts them together: one namespace, the image by its name, settings and secrets by their digests', async ({
  skip,
}) => {
  const rendered = await render(OVERLAY);
  if (rendered === undefined) return skip('kubectl, which has kustomize built in, is not installed');
  for (const object of rendered) expect(() => validate(object)).not.toThrow();
  const namespaces = rendered.filter(({ kind }) => kind !== 'Namespace').map(({ metadata }) => metadata.namespace);
  expect(new Set(namespaces)).toEqual(new Set(['flux-batch']));
  const nameOf = (kind: string, name: RegExp) =>
    rendered.find((object) => object.kind === kind && name.test(object.metadata.name))?.metadata.name;
  const settings = nameOf('ConfigMap', /^flux-batch-\w{10}$/);
  const secret = nameOf('Secret', /^flux-batch-\w{10}$/);
  const ofServe = nameOf('Secret', /^flux-batch-serve-\w{10}$/);
  expect([settings, secret, ofServe]).not.toContain(undefined);
  const deployments = rendered.filter(({ kind }) => kind === 'Deployment');
  expect(deployments.length).toBe(4);
  for (const deployment of deployments) {
    for (const { image, envFrom } of pods.parse(deployment).spec.template.spec.containers) {
      expect(image).toBe(`registry.example.org/flux-batch:${VERSION}`);
      const everywhere = [{ configMapRef: { name: settings } }, { secretRef: { name: secret } }];
      const isServe = deployment.metadata.name === 'serve';
      expect(envFrom).toEqual(isServe ? [...everywhere, { secretRef: { name: ofServe } }] : everywhere);
    }
  }
});

test('only serve gets the secrets that only serve needs', async () => {
  const deployments = (await manifests()).filter(({ kind }) => kind === 'Deployment');
  for (const deployment of deployments) {
    const { containers } = pods.parse(deployment).spec.template.spec;
    const hasSecret = containers.some(({ envFrom }) => JSON.stringify(envFrom).includes('flux-batch-serve'));
    expect([deployment.metadata.name, hasSecret]).toEqual([
      deployment.metadata.name,
      deployment.metadata.name === 'serve',
    ]);
  }
});

test('no pod has more than it needs: no token, no root, no writing, no syscalls beyond the usual, and who may reach it is said', async () => {
  const all = await manifests();
  for (const { kind, metadata, ...rest } of all.filter((one) => one.kind === 'Deployment')) {
    const { spec } = hardened.parse(rest).spec.template;
    expect([metadata.name, spec.automountServiceAccountToken]).toEqual([metadata.name, false]);
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext } of spec.containers)
      expect(securityContext).toMatchObject({
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      });
    // A read-only root needs somewhere for temporary files.
    expect(JSON.stringify(spec.volumes)).toContain('emptyDir');
    expect(kind).toBe('Deployment');
  }
  const kinds = all.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'NetworkPolicy').length).toBeGreaterThanOrEqual(2);
  expect(kinds).toContain('PodDisruptionBudget');
  // Applied again, a Secret here would empty the real one.
  expect(kinds).not.toContain('Secret');
});

test('what is public leads to the port of callbacks alone', async () => {
  expect(JSON.stringify(await find('Ingress', 'callbacks'))).toContain('"port":{"name":"callbacks"}');
});
