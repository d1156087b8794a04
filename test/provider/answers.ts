import fc from 'fast-check';
import type { Answer } from '../../src/provider/answer.ts';

export function answer(body: unknown, status = 200, headers: Answer['headers'] = {}): Answer {
  return { status, headers, text: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** Codes and statuses that mean something, besides any other. */
const code = fc.oneof(fc.constantFrom(200, 400, 401, 402, 403, 404, 422, 429, 455, 500, 501, 502, 505), fc.integer());
const status = fc.oneof(fc.constantFrom(200, 201, 302, 400, 401, 403, 404, 422, 429, 500, 502, 504), fc.nat(999));
const data = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      taskId: fc.oneof(fc.string(), fc.jsonValue()),
      successFlag: fc.oneof(fc.constantFrom(0, 1, 2, 3, '0', '1', '2', '3'), fc.jsonValue()),
      response: fc.oneof(fc.json(), fc.record({ originImageUrl: fc.webUrl() }), fc.jsonValue()),
      completeTime: fc.oneof(fc.jsonValue(), fc.nat(), fc.string()),
      errorCode: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
);
const whole = fc.record({ code: fc.oneof(code, fc.jsonValue()), msg: fc.jsonValue(), data }, { requiredKeys: [] });

/** Anything a server might say: arbitrary bytes, arbitrary JSON, envelopes with wrong parts, and envelopes cut short. */
export const anyAnswer: fc.Arbitrary<Answer> = fc.record({
  status,
  headers: fc.dictionary(fc.constantFrom('retry-after', 'content-type'), fc.oneof(fc.string(), fc.array(fc.string()))),
  text: fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('utf8')),
    fc.json(),
    whole.map((envelope) => JSON.stringify(envelope)),
    fc.tuple(whole, fc.nat(200)).map(([envelope, at]) => JSON.stringify(envelope).slice(0, at)),
  ),
});
