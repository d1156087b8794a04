import { suggest } from '../text/suggest.ts';
import type { Finding, Path } from './problems.ts';

/** What other tools have and this API does not, or has by another name: from the words of a key, what there is instead. */
const ELSEWHERE: readonly (readonly [key: RegExp, hint: string])[] = [
  [/callback|webhook/, 'callbacks belong to the deployment: set FLUX_CALLBACK_URL'],
  [/^seeds?$/, 'this API takes no seed; variants: 4 makes four different images of the same prompt'],
  [
    /^(n|count|num|samples|repeat|batchsize|batchcount|num(ber)?(of)?(images|outputs|samples))$/,
    'write variants: 4 for four images',
  ],
  [/^negative(prompt)?s?$/, 'this API takes none; say in the prompt what is to be there instead'],
  [/^(width|height|size|imagesize|resolution|dimensions)$/, 'sizes follow from aspectRatio, such as "4:3"'],
  [
    /^(steps|numinferencesteps|cfg|cfgscale|guidance|guidancescale|sampler|scheduler|strength|loras?)$/,
    'this API has no such setting',
  ],
  [/^(quality|style)$/, 'say it in the prompt'],
];

/** A key that is not among `known`: what was perhaps meant, or what there is instead. */
export function unknownKey(key: string, path: Path, known: readonly string[]): Finding {
  const plain = key
    .slice(0, 64)
    .toLowerCase()
    .replace(/[\s_-]/g, '');
  const [, instead] = ELSEWHERE.find(([pattern]) => pattern.test(plain)) ?? [];
  const near = suggest(key, known);
  const hint = instead ?? (near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`);
  return { path: [...path, key], at: 'key', message: 'unknown key', hint };
}
