import { COUNT_PARAMETERS, type CountParameter } from '../items/image-count.ts';
import { type ImageRequest, MODELS, PROVIDERS, type ProviderName, providerOf } from '../items/item.ts';
import { isBound } from '../items/provider-list.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Price, PriceList } from './price-list.ts';

/**
 * What an image costs today, in credits, by provider and model. Dated, because providers change it. Credits of another provider than
 * the default are worth something else: they are counted in those of the default, by what each is worth in USD.
 */
export type Prices = Pick<PriceList, 'date' | 'source' | 'usdPerCredit'> & {
  /** Of the default provider. */
  credits: Partial<Record<(typeof MODELS)[number], number>>;
  providers?: Partial<Record<Exclude<ProviderName, 'kie'>, PriceList>>;
  /** Of models that make several images for one task, which parameter says how many: by `<provider>/<model>`. */
  counts?: Readonly<Record<string, CountParameter>>;
  /** What was true first, where the file has prices of several dates: for records that do not say what their image was to cost. */
  earliest?: Prices;
};

/** What the cheapest image of an account costs; 0 when no price is known. In credits of the account's own provider. */
export function leastPrice({ credits, providers = {} }: Prices, provider: ProviderName = 'kie'): number {
  const others = provider === 'bfl' ? providers.bfl : providers['kie-jobs'];
  const known = [
    ...(provider === 'bfl' ? [] : MODELS.flatMap((model) => credits[model] ?? [])),
    ...Object.values(others?.credits ?? {}).map(leastOf),
  ];
  return known.length === 0 ? 0 : Math.min(...known);
}

function leastOf(price: Price): number {
  if (typeof price === 'number') return price;
  return 'by' in price ? Math.min(price.else, ...Object.values(price.prices)) : price.firstMegapixel;
}

type Kindly = Pick<ImageRequest, 'provider' | 'model' | 'inputImage' | 'inputImages' | 'parameters'>;

/** Parameters that a price may go by. */
const PRICED: readonly string[] = [
  ...['resolution', 'image_resolution', 'quality', 'rendering_speed', 'width', 'height'],
  ...COUNT_PARAMETERS,
];

/**
 * What the price of an image goes by, as one text: of the default provider the model, else `bfl/flux-2-pro?images=2`. Images of one
 * kind have one price.
 */
export function kindOf(request: Kindly): string {
  const provider = providerOf(request);
  if (provider === 'kie') return request.model;
  const images = (request.inputImage === undefined ? 0 : 1) + (request.inputImages?.length ?? 0);
  const parameters = Object.entries(request.parameters ?? {}).filter(([name]) => PRICED.includes(name));
  const told = new URLSearchParams(parameters.sort().map(([name, value]): [string, string] => [name, String(value)]));
  if (images > 0) told.set('images', String(images));
  return `${provider}/${request.model}${told.size > 0 ? `?${told}` : ''}`;
}

type Listed = { request: Kindly; providers?: readonly ProviderName[] | undefined };
/** Between the kinds of an item that several providers may make. */
const OR = ' or ';

/** What the price of an item goes by. Of a list of providers it is one of several kinds, the preferred one first. */
export function kindOfItem({ request, providers = [providerOf(request)] }: Listed): string {
  return providers.map((provider) => kindOf({ ...request, provider })).join(OR);
}

/** The same of its next submit: one that may have been sent stays with its provider. */
export function kindOfSubmit(item: Listed, record: ItemRecord | undefined): string {
  return record && isBound(record)
    ? kindOf({ ...item.request, provider: providerOf(record.request) })
    : kindOfItem(item);
}

/** Of which one it will be, the preferred one first. */
export function kindsIn(kind: string): string[] {
  return kind.split(OR);
}

export function providerOfKind(kind: string): ProviderName {
  return PROVIDERS.find((name) => kind.startsWith(`${name}/`)) ?? PROVIDERS[0];
}

export function modelOfKind(kind: string): string {
  return kind.replace(/^(kie-jobs|bfl)\//, '').replace(/\?.*$/, '');
}

/** Of the preferred provider. Undefined for a kind without a price. In credits of the default provider. */
export function creditsOf(prices: Prices, kindOrKinds: string): number | undefined {
  const [kind = ''] = kindsIn(kindOrKinds);
  const [, provider, model = '', query = ''] = /^(kie-jobs|bfl)\/([^?]+)\??(.*)$/.exec(kind) ?? [];
  if (provider !== 'kie-jobs' && provider !== 'bfl')
    return MODELS.filter((known) => known === kind).map((known) => prices.credits[known])[0];
  const price = prices.providers?.[provider]?.credits[model];
  if (price === undefined) return undefined;
  const told = new URLSearchParams(query);
  return inDefaultCredits(prices, provider, priceOf(price, told) * imagesOf(prices, `${provider}/${model}`, told));
}

/** How many images a task of this kind makes, or makes at most. */
function imagesOf({ counts = {} }: Prices, model: string, told: URLSearchParams): number {
  const parameter = Object.hasOwn(counts, model) ? counts[model] : undefined;
  const count = Number(parameter === undefined ? 1 : (told.get(parameter) ?? 1));
  return Number.isInteger(count) && count > 1 ? count : 1;
}

/** Whether a provider means 1,000,000 is not documented: an estimate only. */
const MEGAPIXEL = 1_048_576;

/** An image to start from is counted as one megapixel; what it really has is settled by what the provider says that it charged. */
function priceOf(price: Price, told: URLSearchParams): number {
  if (typeof price === 'number') return price;
  if ('by' in price) return price.prices[told.get(price.by) ?? ''] ?? price.else;
  const pixels = Number(told.get('width') ?? 0) * Number(told.get('height') ?? 0);
  const further = Math.max(0, Math.ceil(pixels / MEGAPIXEL) - 1) + Number(told.get('images') ?? 0);
  return price.firstMegapixel + further * price.nextMegapixel;
}

/** What a provider's credits are in those of the default one. The same where it is not known what they are worth. */
export function inDefaultCredits(
  { usdPerCredit, providers = {} }: Prices,
  provider: ProviderName,
  amount: number,
): number {
  const theirs = provider === 'kie' ? usdPerCredit : (providers[provider]?.usdPerCredit ?? usdPerCredit);
  return Math.round(((amount * theirs) / usdPerCredit) * 1e6) / 1e6;
}
