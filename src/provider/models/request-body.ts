import type { ImageRequest } from '../../items/item.ts';
import type { Refused } from '../provider.ts';
import { type Body, fitToModel } from './fit.ts';
import type { ModelSheet } from './sheet.ts';

/**
 * What is sent for a request. A request was checked when its manifest was read; where the file of models has changed since, or this
 * worker has another, it is refused here as the API would, and nothing is sent.
 */
export function requestBody(
  request: ImageRequest,
  models: Readonly<Record<string, ModelSheet>>,
): { body: Body } | { refused: Refused } {
  const sheet = Object.hasOwn(models, request.model) ? models[request.model] : undefined;
  if (!sheet) return refused(`${request.model} is no model that models.json or FLUX_MODELS knows here`);
  const made = fitToModel(request, sheet);
  if (made.kind === 'fits') return { body: made.body };
  return refused(made.misfits.map(({ key, part, message }) => `${part ?? key}: ${message}`).join('; '));
}

function refused(message: string): { refused: Refused } {
  return { refused: { kind: 'refused', refusal: 'invalid-parameters', code: 422, message } };
}
