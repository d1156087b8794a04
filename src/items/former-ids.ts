import type { ImageRequest } from './item.ts';
import { formerItemId } from './item-id.ts';
import { optionalDefaults, withoutApiDefaults } from './one-form.ts';

type Named = {
  name: string;
  request: ImageRequest;
  variant: number;
  /** As the manifest has it, where that is not in one form. */
  written?: { name: string; request: ImageRequest };
};

/**
 * The ids of version 1 that an item may have been made under: as the manifest has it now, then with other line ends, with
 * decomposed letters, and with defaults of the API stated or left out. The likely ones come first.
 */
export function* formerIds({ name, request, variant, written }: Named): Generator<string> {
  if (written) yield formerItemId(written.name, written.request, variant);
  yield formerItemId(name, request, variant);
  for (const form of formsOf(request)) for (const told of toldForms(form)) yield formerItemId(name, told, variant);
}

function formsOf(request: ImageRequest): ImageRequest[] {
  const { prompt } = request;
  const crlf = prompt.replaceAll('\n', '\r\n');
  const forms = new Set([prompt, crlf, prompt.normalize('NFD'), crlf.normalize('NFD')]);
  return [...forms].map((text) => ({ ...request, prompt: text }));
}

/** Every way to state some of the API's defaults; few are optional at a time. */
function* toldForms(request: ImageRequest): Generator<ImageRequest> {
  const least = withoutApiDefaults(request);
  const optional = optionalDefaults(request);
  for (let chosen = 0; chosen < 2 ** optional.length; chosen++) {
    const stated = optional.filter((_, bit) => (chosen & (1 << bit)) !== 0);
    yield { ...least, ...Object.fromEntries(stated) };
  }
}
