import { expect, test } from 'vitest';
import { isForAnother } from '../../src/items/repeated-prompt.ts';

const asked = (prompt: string, more = {}) =>
  ({ prompt, model: 'flux-kontext-pro', outputFormat: 'png', enableTranslation: false, ...more }) as const;

test.each([
  ['A harbour', 'A lighthouse'],
  ['Picture number 1 of the batch', 'Picture number 12 of the batch'],
  ['Ein Hafen im Winter', 'Ein Hafen im Sommer'],
])('a task for %j is not one for %j', (ours, theirs) => {
  expect(isForAnother(asked(ours), theirs)).toBe(true);
});

test.each([
  ['the same', 'A harbour', 'A harbour'],
  ['with other blanks, quotes and letters', 'A "harbour",\n at Night', 'a \u201charbour\u201d, at night '],
  ['with letters that went wrong on their way', 'Ein Café in Zürich', 'Ein CafÃ© in ZÃ¼rich'],
  ['with escapes', 'Salt & "pepper"', 'Salt &amp; &quot;pepper&quot;'],
  ['cut', 'A harbour in the evening light', 'A harbour in the eve…'],
  ['with something added', 'A harbour', 'A harbour, best quality'],
  ['nothing', 'A harbour', ''],
  ['without a letter that could be compared', '灯台', '港'],
])('a prompt that comes back as it is, or %s, is no verdict', (_, ours, theirs) => {
  expect(isForAnother(asked(ours), theirs)).toBe(false);
});

test.each([
  ['translated, which is the default', { enableTranslation: undefined }],
  ['translated, as it was asked for', { enableTranslation: true }],
  ['reworded', { promptUpsampling: true }],
])('a prompt that the provider may have %s is no verdict', (_, more) => {
  const { enableTranslation, ...others } = asked('Ein Hafen', more);
  const request = enableTranslation === undefined ? others : { ...others, enableTranslation };
  expect(isForAnother(request, 'A harbour')).toBe(false);
});
