import { type ImageRequest, PROVIDERS, type ProviderName } from '../items/item.ts';
import { fitToModel, type Misfit } from '../provider/models/fit.ts';
import type { Models } from '../provider/models/sheet.ts';
import { suggest } from '../text/suggest.ts';
import { findingsOf } from './check.ts';
import { quote } from './problems.ts';
import { anyRequestSchema, requestSchema } from './request-schema.ts';

/** Sent explicitly with every request to the default provider: the price depends on the model, the file's extension on the format. */
const BUILT_IN = { model: 'flux-kontext-pro', outputFormat: 'jpeg' };

/** A request after its templates are filled in, or everything that is wrong with it. The default provider is never named. */
export function checkRequest(draft: Readonly<Record<string, unknown>>, models: Models): ImageRequest | Misfit[] {
  const { provider: named = PROVIDERS[0], ...words } = draft;
  const provider = PROVIDERS.find((known) => known === String(named).trim());
  if (provider === undefined)
    return [{ key: 'provider', message: `expected one of ${PROVIDERS.join(', ')}, got ${quote(named)}` }];
  const parsed =
    provider === 'kie'
      ? requestSchema.safeParse({ ...BUILT_IN, ...words }, { reportInput: true })
      : anyRequestSchema.safeParse({ ...words, provider }, { reportInput: true });
  if (!parsed.success) {
    const found = parsed.error.issues.flatMap((issue) => findingsOf(issue, []));
    return found.map(({ path, message }) => {
      const key = String(path[0]);
      const hint = provider === 'kie' ? otherProviders(key, draft, models) : undefined;
      return { key, message, ...(hint === undefined ? {} : { hint }) };
    });
  }
  if (provider === 'kie') return parsed.data;
  const request: ImageRequest = parsed.data;
  const sheet = sheetOf(provider, request.model, models);
  if (Array.isArray(sheet)) return sheet;
  const made = fitToModel(request, sheet);
  return made.kind === 'fits' ? request : made.misfits;
}

/**
 * What is wrong with a job's words as they are written, before any template is filled in. `isOpen`: the word, or this part of
 * `parameters`, is a template.
 */
export function checkWords(
  words: Partial<ImageRequest>,
  models: Models,
  isOpen: (key: string, part?: string) => boolean,
): Misfit[] {
  const { provider, model } = words;
  if (provider === undefined || provider === 'kie' || isOpen('provider') || isOpen('model')) return [];
  if (model === undefined)
    return [{ key: 'model', message: 'is required', hint: `${provider} has no default; models.json lists its models` }];
  const sheet = sheetOf(provider, model, models);
  if (Array.isArray(sheet)) return sheet;
  const made = fitToModel({ prompt: '', ...words, model }, sheet);
  if (made.kind === 'fits') return [];
  return made.misfits.filter(({ key, part }) => key !== 'prompt' && !isOpen(key, part));
}

function sheetOf(provider: Exclude<ProviderName, 'kie'>, model: string, models: Models) {
  const sheets = models[provider];
  const sheet = Object.hasOwn(sheets, model) ? sheets[model] : undefined;
  if (sheet) return sheet;
  const near = suggest(model, Object.keys(sheets));
  const hint = near === undefined ? otherModels(provider, models) : `did you mean ${near}?`;
  return [{ key: 'model', message: `expected a model of ${provider}, got ${quote(model)}`, hint }];
}

function otherModels(provider: 'kie-jobs' | 'bfl', models: Models): string {
  return `known here: ${Object.keys(models[provider]).join(', ')}; others go into a file that FLUX_MODELS names`;
}

/** A model that another provider has. */
export function otherProviders(
  key: string,
  { model }: Readonly<Record<string, unknown>>,
  models: Models,
): string | undefined {
  if (key !== 'model' || typeof model !== 'string') return undefined;
  const owner = (['kie-jobs', 'bfl'] as const).find((provider) => Object.hasOwn(models[provider], model));
  return owner === undefined ? undefined : `it is a model of ${owner}: write provider: ${owner}`;
}
