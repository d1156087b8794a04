import { type ImageRequest, type Item, PROVIDERS, type ProviderName, providerOf } from './item.ts';
import type { ItemRecord } from './record.ts';

/** What may be made by any provider of a list: `request` is to one of them. */
type Listed = { request: ImageRequest; providers?: readonly ProviderName[] | undefined };
type Asked = { request: Pick<ImageRequest, 'provider'>; providers?: readonly ProviderName[] | undefined };

/** The same picture, asked of another provider of the list. */
export function requestAt(request: ImageRequest, provider: ProviderName): ImageRequest {
  if (provider === providerOf(request)) return request;
  const { provider: _, ...shared } = request;
  // The default one is never named.
  return provider === PROVIDERS[0] ? shared : { ...shared, provider };
}

/** As the first of the list is asked. Ids go by it, whoever makes the image in the end. */
export function firstRequest({ request, providers: [first] = [] }: Listed): ImageRequest {
  return first === undefined ? request : requestAt(request, first);
}

/** As each of the list is asked, the preferred one first. */
export function requestsOf({ request, providers }: Listed): ImageRequest[] {
  return providers ? providers.map((provider) => requestAt(request, provider)) : [request];
}

/** Another one is to make it than the first of its list. */
export function isElsewhere({ request, providers }: Asked): boolean {
  return providers !== undefined && providers[0] !== providerOf(request);
}

/** A submit of it went out, or may have, and no answer says that it started nothing: it stays with its provider for good. */
export function isBound(record: ItemRecord): boolean {
  return record.attempts > 0 || (record.state !== 'queued' && record.state !== 'cancelled');
}

/** The item as its record binds it: with the provider that may have been asked, and no other to go to. */
export function boundBy(item: Item, record: ItemRecord | undefined): Item {
  if (!record || !isBound(record)) return item;
  const { providers: _, ...bound } = item;
  return { ...bound, request: requestAt(item.request, providerOf(record.request)) };
}
