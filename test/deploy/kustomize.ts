import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

const execute = promisify(execFile);
export const folderOf = (name: string) => fileURLToPath(new URL(`../../deploy/kubernetes/${name}`, import.meta.url));
const read = (folder: string, file: string) => readFile(`${folderOf(folder)}/${file}`, 'utf8');

export const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
export type Manifest = z.infer<typeof manifest>;

const generator = { name: z.string(), behavior: z.literal('merge').optional() };
/** What our kustomizations use of kustomize's fields; a field that is none, or is misspelled, is refused. */
const kustomization = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  namespace: z.string().optional(),
  resources: z.array(z.string()),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })).optional(),
  configMapGenerator: z.array(z.strictObject({ ...generator, literals: z.array(z.string()) })),
  secretGenerator: z.array(z.strictObject({ ...generator, envs: z.array(z.string()) })).optional(),
});

export async function readKustomization(folder: string): Promise<z.infer<typeof kustomization>> {
  return kustomization.parse(parse(await read(folder, 'kustomization.yaml')));
}

/** The manifests of a kustomization's own files, as they are written. */
export async function manifestsIn(folder: string): Promise<Manifest[]> {
  const { resources } = await readKustomization(folder);
  const texts = resources.filter((path) => path.endsWith('.yaml')).map((path) => read(folder, path));
  return (await Promise.all(texts)).flatMap(manifestsOf);
}

/** `NAME=value` by name, of all that a kustomization generates. */
export async function variablesOf(folder: string): Promise<Map<string, string>> {
  const { configMapGenerator, secretGenerator = [] } = await readKustomization(folder);
  const files = secretGenerator.flatMap(({ envs }) => envs).map((file) => read(folder, file));
  const secrets = (await Promise.all(files)).flatMap((text) => text.trim().split('\n'));
  const lines = [...configMapGenerator.flatMap(({ literals }) => literals), ...secrets];
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** As kustomize itself puts it together; undefined where there is no kubectl, which has it built in. */
export async function render(folder: string): Promise<Manifest[] | undefined> {
  try {
    const { stdout } = await execute('kubectl', ['kustomize', folderOf(folder)]);
    return manifestsOf(stdout);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => manifest.parse(document.toJS()));
}
