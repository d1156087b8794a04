import { describe, expect, test } from 'vitest';
import type { LaneLook } from '../../src/diagnosis/snapshot.ts';
import { stopOf } from '../../src/diagnosis/stopped.ts';
import type { WaitingByWay } from '../../src/items/submit-way.ts';
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

  test('of the batch that was looked at, whatever others wait for', () => {
    const [refused, away] = [{ breaker: breaker('unauthorized') }, { breaker: breaker('unreachable') }];
    const own = (waiting: Partial<WaitingByWay>, ...lanes: LaneLook[]) =>
      stopOf(look({ lanes, waitingForEither: 1, ownWaiting: { kie: 0, bfl: 0, either: 0, ...waiting } }))?.breaker
        .refusal;
    expect(own({ kie: 1 }, kie(refused), bfl())).toBe('unauthorized');
    expect(own({ kie: 1 }, kie(refused), bfl(away))).toBe('unauthorized');
    expect(own({ bfl: 1 }, kie(refused), bfl())).toBeUndefined();
    expect(own({ kie: 1, either: 1 }, kie(refused), bfl())).toBeUndefined();
    expect(own({ either: 1 }, kie(refused), bfl(away))).toBe('unreachable');
  });

  test('by the default account where nothing waits', () => {
    const none = { waiting: 0 };
    expect(stop(kie({ ...none, breaker: breaker('not-found') }), bfl(none))).toEqual(['not-found', undefined]);
    expect(stop(kie(none), bfl({ ...none, breaker: breaker('not-found') }))).toBeUndefined();
  });
});
