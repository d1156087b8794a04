import { onTestFinished } from 'vitest';
import type { ImageRequest } from '../../../src/items/item.ts';
import { bfl } from '../../../src/provider/bfl/bfl.ts';
import { BFL_FACTS } from '../../../src/provider/bfl/facts.ts';
import { KIE_FACTS } from '../../../src/provider/kie/facts.ts';
import { kieJobs } from '../../../src/provider/kie-jobs/kie-jobs.ts';
import { fluxKontext } from '../../../src/provider/kontext/flux-kontext.ts';
import { loadModels } from '../../../src/provider/models/load-models.ts';
import type { Provider, ProviderFacts } from '../../../src/provider/provider.ts';
import type { SimulatorOptions } from '../../../src/simulator/options.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { KEYED_FACTS } from '../keyed/facts.ts';
import { keyed } from '../keyed/keyed.ts';

/** What the suite has to know of an adapter: how it is opened, and where its API differs from others by documentation. */
export type Adapter = {
  name: string;
  personality: SimulatorOptions['provider'] & string;
  open(apiUrl: string, apiKey?: string): Promise<Provider>;
  request: ImageRequest;
  /** A success and a refusal as its API answers them, for a server that says nothing else. */
  accepted: (handle: string) => string;
  /** HTTP statuses with which it refuses for good, by class. */
  refusals: Readonly<Record<string, { status: number; body: string }>>;
  /** Where its images are, the best first. */
  sources: readonly string[];
  /** By its own word a task that the policy refuses is free, costs, or nobody says. */
  chargedWhenModerated: 'no' | 'yes' | 'unknown';
  /** Whether its answers say what an image costs. */
  tellsCost: boolean;
  /** Limits and keys by its documentation. */
  account: ProviderFacts;
  /** What its API answers with the image at once, where it does. */
  quick?: ImageRequest;
  /** What makes three images for one task, where the API has such a model. */
  three?: ImageRequest;
};

const COMMON = {
  userAgent: 'flux-batch/0.0.0-test',
  connectTimeoutMs: 5_000,
  submitTimeoutMs: 5_000,
  pollTimeoutMs: 5_000,
  connections: 4,
};
export const KEY = 'simulator-key';
const envelope = (code: number, msg: string) => ({ status: 200, body: JSON.stringify({ code, msg, data: null }) });
const detail = (status: number, text: string) => ({ status, body: JSON.stringify({ detail: text }) });

const error = (status: number, type: string) => ({
  status,
  body: JSON.stringify({ error: { type, message: `it is the ${type}` } }),
});

const KIE_REFUSALS = {
  'content-policy': envelope(400, 'content policy violation'),
  unauthorized: envelope(401, 'unauthorized'),
  'out-of-credits': envelope(402, 'insufficient credits'),
  'invalid-parameters': envelope(422, 'aspect_ratio is invalid'),
  'rate-limited': envelope(429, 'too many requests'),
  maintenance: envelope(455, 'maintenance'),
};

const closed = (provider: Provider): Provider => {
  onTestFinished(() => provider.close());
  return provider;
};

export const ADAPTERS: readonly Adapter[] = [
  {
    name: 'kontext',
    personality: 'kie',
    open: async (apiUrl, apiKey = KEY) => closed(fluxKontext({ ...COMMON, apiUrl, apiKey })),
    request: { prompt: 'A lighthouse at “dawn” 🌅', model: 'flux-kontext-pro', outputFormat: 'png' },
    accepted: (handle) => JSON.stringify({ code: 200, msg: 'success', data: { taskId: handle } }),
    refusals: KIE_REFUSALS,
    sources: ['origin', 'stored', 'link'],
    chargedWhenModerated: 'unknown',
    tellsCost: false,
    account: KIE_FACTS,
  },
  {
    name: 'kie-jobs',
    personality: 'kie',
    open: async (apiUrl, apiKey = KEY) =>
      closed(kieJobs({ ...COMMON, apiUrl, apiKey, models: (await loadModels())['kie-jobs'] })),
    request: {
      provider: 'kie-jobs',
      prompt: 'A lighthouse at “dawn” 🌅',
      model: 'nano-banana-2',
      outputFormat: 'png',
      aspectRatio: '1:1',
      parameters: { resolution: '2K' },
    },
    three: {
      provider: 'kie-jobs',
      prompt: 'A lighthouse at “dawn” 🌅',
      model: 'bytedance/seedream-v4-text-to-image',
      aspectRatio: '1:1',
      parameters: { max_images: 3 },
    },
    accepted: (handle) => JSON.stringify({ code: 200, msg: 'success', data: { taskId: handle, recordId: handle } }),
    refusals: KIE_REFUSALS,
    sources: ['stored', 'link'],
    chargedWhenModerated: 'no',
    tellsCost: true,
    account: KIE_FACTS,
  },
  {
    name: 'bfl',
    personality: 'bfl',
    open: async (apiUrl, apiKey = KEY) => closed(bfl({ ...COMMON, apiUrl, apiKey, models: (await loadModels()).bfl })),
    request: {
      provider: 'bfl',
      prompt: 'A lighthouse at “dawn” 🌅',
      model: 'flux-2-pro',
      outputFormat: 'png',
      aspectRatio: '1:1',
    },
    accepted: (handle) => JSON.stringify({ id: handle, cost: 3 }),
    refusals: {
      'invalid-parameters': {
        status: 422,
        body: JSON.stringify({ detail: [{ loc: ['body', 'width'], msg: 'too small', type: 'value_error' }] }),
      },
      unauthorized: detail(403, 'Not authenticated'),
      'out-of-credits': detail(402, 'Insufficient credits'),
      'rate-limited': detail(429, 'Too many active tasks'),
    },
    sources: ['origin', 'link'],
    chargedWhenModerated: 'no',
    tellsCost: true,
    account: BFL_FACTS,
  },
  {
    // No provider: what the others' APIs lack is held to the same here.
    name: 'keyed',
    personality: 'keyed',
    open: async (apiUrl, apiKey = KEY) => closed(keyed({ ...COMMON, apiUrl, apiKey })),
    request: { prompt: 'A lighthouse at “dawn” 🌅', model: 'slow', outputFormat: 'png' },
    quick: { prompt: 'A lighthouse at “dawn” 🌅', model: 'quick', outputFormat: 'png' },
    accepted: (handle) => JSON.stringify({ request_id: handle, status: 'queued', price: 2 }),
    refusals: {
      'content-policy': error(400, 'policy'),
      unauthorized: error(401, 'auth'),
      'out-of-credits': error(402, 'balance'),
      'invalid-parameters': error(422, 'input'),
      'rate-limited': error(429, 'busy'),
      maintenance: error(455, 'maintenance'),
    },
    sources: ['origin', 'link'],
    chargedWhenModerated: 'no',
    tellsCost: true,
    account: KEYED_FACTS,
  },
];

/** The adapter with its own stand-in, whose tasks end at once unless a test says otherwise. */
export async function standIn(adapter: Adapter, options: SimulatorOptions = {}) {
  const simulator = await startSimulator({
    provider: adapter.personality,
    medianMs: 0,
    sigma: 0,
    pictures: 'plain',
    imageSize: 64,
    imageBytes: 2_000,
    pollRate: { max: 1_000, windowMs: 1_000 },
    rate: { max: 1_000, windowMs: 1_000 },
    ...options,
  });
  onTestFinished(() => simulator.close());
  return { simulator, provider: await adapter.open(simulator.url) };
}
