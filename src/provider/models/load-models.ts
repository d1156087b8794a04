import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf, UsageError } from '../../errors.ts';
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

async function read(path: string | URL) {
  try {
    return modelsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new UsageError('models-invalid', `Cannot read the models in ${String(path)}: ${reason}`, { cause });
  }
}
