import { expect, test } from 'vitest';
import { createFaults, IMAGE_FAULTS, parseFaults, parseFaultText } from '../../src/simulator/faults.ts';
import { createRandom } from '../../src/simulator/random.ts';

test('an unknown fault is an error that lists the known ones', () => {
  expect(() => parseFaults([{ name: 'image-cutt', share: 1 }])).toThrow(
    /image-cutt is not one of:.*flag-2.*image-cut,/s,
  );
});

test('a fault needs either a share or a number of times', () => {
  expect(() => parseFaults([{ name: 'image-cut' }])).toThrow(/share.*times/);
  expect(() => parseFaults([{ name: 'image-cut', share: 0.1, times: 2 }])).toThrow(/share.*times/);
});

test('faults are written as name=share or name=count with an x', () => {
  expect(parseFaultText('image-cut=0.05')).toEqual({ name: 'image-cut', share: 0.05, firstOnly: false });
  expect(parseFaultText('401=3x,first')).toEqual({ name: '401', times: 3, firstOnly: true });
  expect(parseFaultText('code-500=1,charged')).toEqual({ name: 'code-500', share: 1, firstOnly: false, charged: true });
  for (const text of ['image-cut', 'image-cut=', 'image-cut=x', 'image-cut=2', 'nothing=1', '401=1,last']) {
    expect(() => parseFaultText(text), text).toThrow();
  }
});

test('a fault with a count hits so often and no more', () => {
  const faults = createFaults(createRandom(1, 'faults'), [{ name: 'image-cut', times: 2 }]);
  const hits = [1, 2, 3, 4].map(() => faults.draw(IMAGE_FAULTS, true)?.name);
  expect(hits).toEqual(['image-cut', 'image-cut', undefined, undefined]);
  expect(faults.hits()).toEqual({ 'image-cut': 2 });
});

test('a fault with a share hits about so large a part, and only where it belongs', () => {
  const faults = createFaults(createRandom(1, 'faults'), [{ name: 'image-cut', share: 0.2 }]);
  const hits = Array.from({ length: 2_000 }, () => faults.draw(IMAGE_FAULTS, true)).filter(Boolean).length;
  expect(hits).toBeGreaterThan(330);
  expect(hits).toBeLessThan(470);
  expect(faults.draw(['poll-404'], true)).toBeUndefined();
});
