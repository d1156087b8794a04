import type { LinkOutcome, PollOutcome } from './provider.ts';

/** The image's URL as another poll names it, for an API that has no other way to one. */
export function linkByPoll(outcome: PollOutcome): LinkOutcome {
  switch (outcome.kind) {
    case 'succeeded': {
      const [source] = outcome.sources;
      return source ? { kind: 'link', url: source.url } : { kind: 'unreachable', message: 'no URL' };
    }
    case 'generating':
      return { kind: 'unreachable', message: 'it says that the task still runs' };
    case 'failed':
      return { kind: 'not-found', message: outcome.message };
    default:
      return outcome;
  }
}
