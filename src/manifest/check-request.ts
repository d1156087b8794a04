import { BUILT_IN_FORMAT, type ImageRequest, type ProviderName } from '../items/item.ts';
import { fitToModel, type Misfit } from '../provider/models/fit.ts';
import type { Models } from '../provider/models/sheet.ts';
import { suggest } from '../text/suggest.ts';
import { findingsOf } from './check.ts';
import { quote } from './problems.ts';
import { readProviders } from './providers.ts';
import { anyRequestSchema, requestSchema } from './request-schema.ts';

/** Sent explicitly with every request to the default provider: the price depends on the model, the file's extension on the format. */
const BUILT_IN = { model: 'flux-kontext-pro', outputFormat: BUILT_IN_FORMAT };

type Words = Readonly<Record<string, unknown>>;
/** To the preferred provider. `providers`: where there is a choice. */
export type Checked = { request: ImageRequest; providers?: ProviderName[] };

/** A request after its templates are filled in, or everything that is wrong with it. The default provider is never named. */
export function checkRequest(draft: Words, models: Models): Checked | Misfit[] {
  const { provider: named, ...words } = draft;
  const providers = readProviders(named);
  if ('misfits' in providers) return providers.misfits;
  const asked = providers.map((provider) => requestTo(provider, wordsFor(words, providers), models));
  const misfits = asked.flatMap((one, index) => (Array.isArray(one) ? toldOf(providers, index, one) : []));
  const [request] = asked;
  if (misfits.length > 0 || !request || Array.isArray(request)) return misfits;
  return providers.length === 1 ? { request } : { request, providers };
}

/** What the default provider is told where nothing is said is told to each of a list: they are to make the same picture. */
function wordsFor(words: Words, providers: readonly ProviderName[]): Words {
  return providers.includes('kie') ? { ...BUILT_IN, ...words } : words;
}

/** Of a list each provider has mistakes of its own, and is named. */
function toldOf(providers: readonly ProviderName[], index: number, misfits: readonly Misfit[]): Misfit[] {
  if (providers.length === 1) return [...misfits];
  return misfits.map((misfit) => ({ ...misfit, message: `for ${providers[index]}: ${misfit.message}` }));
}

function requestTo(provider: ProviderName, words: Words, models: Models): ImageRequest | Misfit[] {
  const parsed =
    provider === 'kie'
      ? requestSchema.safeParse(words, { reportInput: true })
      : anyRequestSchema.safeParse({ ...words, provider }, { reportInput: true });
  if (!parsed.success) {
    const found = parsed.error.issues.flatMap((issue) => findingsOf(issue, []));
    return found.map(({ path, message }) => {
      const key = String(path[0]);
      const hint = provider === 'kie' ? otherProviders(key, words, models) : undefined;
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
export function checkWords(words: Words, models: Models, isOpen: (key: string, part?: string) => boolean): Misfit[] {
  const { provider: named, ...own } = words;
  if (isOpen('provider')) return [];
  const providers = readProviders(named);
  if ('misfits' in providers) return providers.misfits;
  if (isOpen('model')) return [];
  const closed = Object.fromEntries(Object.entries(own).filter(([key]) => !isOpen(key)));
  return providers.flatMap((provider, index) => {
    const misfits = wordsTo(provider, wordsFor(closed, providers), models);
    return toldOf(
      providers,
      index,
      misfits.filter(({ key, part }) => key !== 'prompt' && !isOpen(key, part)),
    );
  });
}

function wordsTo(provider: ProviderName, words: Words, models: Models): Misfit[] {
  if (provider !== 'kie') return wordsToOthers(provider, words, models);
  const found = requestTo(provider, { ...words, prompt: 'any' }, models);
  return Array.isArray(found) ? found : [];
}

function wordsToOthers(provider: Exclude<ProviderName, 'kie'>, words: Partial<ImageRequest>, models: Models): Misfit[] {
  const { model } = words;
  if (model === undefined)
    return [{ key: 'model', message: 'is required', hint: `${provider} has no default; models.json lists its models` }];
  const sheet = sheetOf(provider, model, models);
  if (Array.isArray(sheet)) return sheet;
  const made = fitToModel({ prompt: '', ...words, model }, sheet);
  return made.kind === 'fits' ? [] : made.misfits;
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
export function otherProviders(key: string, { model }: Words, models: Models): string | undefined {
  if (key !== 'model' || typeof model !== 'string') return undefined;
  const owner = (['kie-jobs', 'bfl'] as const).find((provider) => Object.hasOwn(models[provider], model));
  return owner === undefined ? undefined : `it is a model of ${owner}: write provider: ${owner}`;
}
