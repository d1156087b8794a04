import { expect, test } from 'vitest';
import { readEnvelope } from '../../src/provider/kie/envelope.ts';
import { answer } from './answers.ts';

test('an envelope is its code, message and data, whatever the HTTP status', () => {
  const read = readEnvelope(answer({ code: 429, msg: 'slow down', data: { a: 1 } }, 200));
  expect(read).toEqual({ kind: 'envelope', code: 429, message: 'slow down', data: { a: 1 } });
});

test('a missing or odd message is made up from the code', () => {
  expect(readEnvelope(answer({ code: 500 }))).toMatchObject({ code: 500, message: 'code 500' });
  expect(readEnvelope(answer({ code: 500, msg: { no: 'text' } }))).toMatchObject({ message: 'code 500' });
});

test.each(['"200"', '0', '"0"'])('the code %s is a success, too', (code) => {
  expect(readEnvelope(answer(`{"code":${code}}`))).toMatchObject({ kind: 'envelope', code: 200 });
});

test('a code as text refuses like a number', () => {
  expect(readEnvelope(answer({ code: '402', msg: 'no' }))).toMatchObject({ code: 402, message: 'no' });
});

test('a byte order mark and white space around are no harm', () => {
  expect(readEnvelope(answer('\uFEFF {"code":200}\r\n'))).toMatchObject({ kind: 'envelope', code: 200 });
});

test.each([
  ['', 'empty'],
  [' \r\n', 'empty'],
  ['<html><body>502 Bad Gateway</body></html>', 'html'],
  ['{"code":200,"msg":"success","data":{"taskId":"ta', 'truncated'],
  ['upstream connect error', 'not-json'],
  ['[200]', 'not-an-envelope'],
  ['null', 'not-an-envelope'],
  ['200', 'not-an-envelope'],
  ['{"code":"two hundred"}', 'not-an-envelope'],
  ['{"code":""}', 'not-an-envelope'],
  ['{"error":"no"}', 'not-an-envelope'],
])('%j is unreadable: %s', (text, flaw) => {
  expect(readEnvelope(answer(text))).toEqual({ kind: 'unreadable', flaw });
});
