import type { Variables } from './variables.ts';

/** How pictures of one's own come to a provider. */
export type InputSettings = ReturnType<typeof inputSettings>;

const KIE_API = 'https://api.kie.ai';
const KIE_UPLOADS = 'https://kieai.redpandaai.co';

export function inputSettings(values: Variables) {
  const api = values.FLUX_API_URL.replace(/\/+$/, '');
  return {
    /** `auto`: by a signed URL where the bucket can be reached from outside, else handed over. */
    urls: values.INPUT_URLS,
    urlLifeMs: values.INPUT_URL_LIFE,
    /** Of one picture, where its model says nothing. */
    maxBytes: values.INPUT_MAX_MB * 1e6,
    /** kie's files are at a host of their own; whoever offers its API elsewhere has them there. The key goes to no other host unasked. */
    uploadUrl: (values.KIE_UPLOAD_URL ?? (api === KIE_API ? KIE_UPLOADS : api)).replace(/\/+$/, ''),
  };
}
