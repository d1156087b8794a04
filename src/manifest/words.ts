import type { Models } from '../provider/models/sheet.ts';
import { checkWords } from './check-request.ts';
import type { Parameter } from './job.ts';
import type { Finding, Path } from './problems.ts';
import { templateText } from './template.ts';

/** Whether a job, or the defaults, as written, is the default provider's, as far as that shows without filling in a template. */
export function isOfKontext(written: unknown, defaults: { provider?: unknown }): boolean {
  const own: unknown = typeof written === 'object' && written !== null ? Reflect.get(written, 'provider') : undefined;
  return ['kie', undefined, null].some((name) => name === (own ?? defaults.provider));
}

/** What the model of another provider has no word for. What a template brings is checked when it is filled in. */
export function wordFindings(parameters: readonly Parameter[], models: Models, base: Path): Finding[] {
  const open = new Set<string>();
  const words: Record<string, unknown> = {};
  const own: Record<string, string | number | boolean> = {};
  const images: string[] = [];
  for (const { name, part, value } of parameters) {
    const isTemplate = typeof value === 'object' && value.names.length > 0;
    const plain = typeof value === 'object' ? templateText(value) : value;
    if (isTemplate) open.add(part === undefined || name === 'inputImages' ? name : `${name}.${part}`);
    if (part === undefined) words[name] = plain;
    else if (name === 'inputImages') images.push(String(plain));
    else own[part] = plain;
  }
  const draft = {
    ...words,
    ...(Object.keys(own).length > 0 && { parameters: own }),
    ...(images.length > 0 && { inputImages: images }),
  };
  const isOpen = (key: string, part?: string) => open.has(part === undefined ? key : `${key}.${part}`);
  const fromDefaults = (key: string, part: string | undefined) =>
    parameters.some((one) => one.name === key && one.part === part && one.fromDefaults);
  return checkWords(draft, models, isOpen).map(({ key, part, message, hint }) => {
    const hints = [hint, fromDefaults(key, part) ? 'it comes from defaults' : undefined].filter((text) => text);
    const path = [...base, key, ...(part === undefined ? [] : [part])];
    return { path, message, ...(hints.length > 0 && { hint: hints.join('; ') }) };
  });
}
