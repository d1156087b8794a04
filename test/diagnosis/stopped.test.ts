import { describe, expect, test } from 'vitest';
import type { LaneLook } from '../../src/diagnosis/snapshot.ts';
import { stopOf } from '../../src/diagnosis/stopped.ts';
import { lane, look } from './looked.ts';

const breaker = (refusal: string) => ({ refusal, message: 'so it is', since: 0 });
const kie = (changes: Partial<LaneLook> = {}): LaneLook => ({ ...lane('kie'), isNamed: false, ...changes });
const bfl = (changes: Partial<LaneLook> = {}): LaneLook => ({
  ...{ ...lane('bfl'), vendor: 'bfl', keyVariable: 'BFL_API_KEY', isNamed: false },
  ...changes,
});
const stop = (...lanes: LaneLook[]) => {
  const found = stopOf(look({ lanes }));
  return found && [found.breaker.refusal, found.lane?.keyVariable];
};

describe('all that waits is stopped', () => {
  test('by the only account that its vendor has, whichever it is', () => {
    const refused = { breaker: breaker('unauthorized') };
    expect(stop(kie(refused))).toEqual(['unauthorized', undefined]);
    expect(stop(kie({ waiting: 0 }), bfl(refused))).toEqual(['unauthorized', 'BFL_API_KEY']);
    expect(stop(bfl(refused))).toEqual(['unauthorized', 'BFL_API_KEY']);
  });

  test('by what may be over by itself, before what waits for a person', () => {
    const [person, itself] = [{ breaker: breaker('out-of-credits') }, { breaker: breaker('unreachable') }];
    expect(stop(kie(person), bfl(itself))).toEqual(['unreachable', 'BFL_API_KEY']);
    expect(stop(kie(itself), kie(person))).toEqual(['unreachable', undefined]);
  });

  test('and not while something waits for an account that is open, or for one that nobody here has', () => {
    const refused = { breaker: breaker('unauthorized') };
    expect(stop(kie(refused), bfl())).toBeUndefined();
    expect(stop(kie(), bfl({ ...refused, waiting: 0 }))).toBeUndefined();
    expect(stop(bfl(refused), bfl())).toBeUndefined();
    expect(stop(bfl({ ...refused, share: 0 }))).toBeUndefined();
  });

  test('by all accounts together, where it may be made in any of them', () => {
    const [refused, none] = [{ breaker: breaker('unauthorized') }, { waiting: 0 }];
    const either = (...lanes: LaneLook[]) => stopOf(look({ lanes, waitingForEither: 1 }))?.breaker.refusal;
    expect(either(kie({ ...none, ...refused }), bfl(none))).toBeUndefined();
    expect(either(kie({ ...none, ...refused }), bfl({ ...none, ...refused }))).toBe('unauthorized');
    expect(either(kie({ ...none, ...refused }), bfl({ ...none, breaker: breaker('unreachable') }))).toBe('unreachable');
    expect(either(kie(refused), bfl({ ...none }))).toBeUndefined();
  });

  test('by the default account where nothing waits', () => {
    const none = { waiting: 0 };
    expect(stop(kie({ ...none, breaker: breaker('not-found') }), bfl(none))).toEqual(['not-found', undefined]);
    expect(stop(kie(none), bfl({ ...none, breaker: breaker('not-found') }))).toBeUndefined();
  });
});
