import type { ImageRequest } from './item.ts';
import { firstRequest } from './provider-list.ts';

/** What the API does where a parameter is left out, by its documentation. To state it changes nothing in the picture. */
const API_DEFAULTS = {
  enableTranslation: true,
  promptUpsampling: false,
  safetyTolerance: 2,
  uploadCn: false,
} as const satisfies Partial<ImageRequest>;
/** An edited image keeps its own ratio. */
const DEFAULTS_OF_NEW = { ...API_DEFAULTS, aspectRatio: '16:9' } as const satisfies Partial<ImageRequest>;

/** One form for texts that read the same: line feeds for line ends, composed letters (NFC). */
export function textInOneForm(text: string): string {
  return text.replace(/\r\n?/g, '\n').normalize('NFC');
}

/** The texts of a request in one form. Nothing else is changed: it is what the user asked for. */
export function requestInOneForm(request: ImageRequest): ImageRequest {
  const { prompt, watermark } = request;
  return {
    ...request,
    prompt: textInOneForm(prompt),
    ...(watermark === undefined ? {} : { watermark: textInOneForm(watermark) }),
  };
}

/** The parameters that say something else than the API does anyway. Of other APIs than the default one nothing is known. */
export function withoutApiDefaults(request: ImageRequest): ImageRequest {
  if (request.provider !== undefined) return request;
  const optional = new Set(optionalDefaults(request).map(([name]) => name));
  const { prompt, model, ...others } = request;
  const told = Object.entries(others).filter(([name]) => !optional.has(name));
  return { prompt, model, ...Object.fromEntries(told) };
}

/** The defaults of the API that a request may as well state as leave out. */
export function optionalDefaults(request: ImageRequest): [name: string, value: string | number | boolean][] {
  if (request.provider !== undefined) return [];
  const own = new Map<string, unknown>(Object.entries(request));
  const defaults = request.inputImage === undefined ? DEFAULTS_OF_NEW : API_DEFAULTS;
  return Object.entries(defaults).filter(([name, value]) => !own.has(name) || own.get(name) === value);
}

/** What a request asks for, by name: equal for requests that come to the same picture. */
export function toldEntries(request: ImageRequest): [name: string, value: unknown][] {
  const { parameters = {}, inputImages, ...own } = withoutApiDefaults(requestInOneForm(request));
  const images = inputImages === undefined ? {} : { inputImages: inputImages.join(' ') };
  const told: [string, unknown][] = Object.entries({ ...own, ...parameters, ...images });
  return told.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** One text for equal requests of one variant. */
export function requestKey({ variant, ...listed }: Parameters<typeof firstRequest>[0] & { variant: number }): string {
  return JSON.stringify([variant, ...toldEntries(firstRequest(listed))]);
}
