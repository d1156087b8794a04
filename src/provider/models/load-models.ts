import { fromJsonFile } from '../../files/json-file.ts';
import { PACKAGE_ROOT } from '../../version.ts';
import { type Models, modelsSchema } from './sheet.ts';

/** The file beside package.json. Models of a file of one's own (FLUX_MODELS) come over those here. */
export const MODELS_FILE = new URL('models.json', PACKAGE_ROOT);

/** Throws a UsageError (`models-invalid`) that names the file and what is wrong in it. */
export async function loadModels(own?: string): Promise<Models> {
  const files = await Promise.all([MODELS_FILE, ...(own === undefined ? [] : [own])].map(read));
  const of = (provider: 'kie-jobs' | 'bfl') => Object.assign({}, ...files.map((file) => file[provider]?.models ?? {}));
  return { 'kie-jobs': of('kie-jobs'), bfl: of('bfl') };
}

function read(path: string | URL) {
  const wanted = { what: 'models', code: 'models-invalid', variable: 'FLUX_MODELS' };
  return fromJsonFile(path, (json) => modelsSchema.parse(json), wanted);
}
