import { expect, test } from 'vitest';
import { taskIdOfBody } from '../../src/callbacks/body.ts';

test.each([
  ['as documented', '{"code":200,"msg":"success","data":{"taskId":"task-1","info":{"originImageUrl":"https://x"}}}'],
  ['as one published sample has it', '{"code":501,"data":{"task_id":"task-1"}}'],
  ['beside its data', '{"code":200,"taskId":"task-1"}'],
])('the task id is read %s', (_, body) => {
  expect(taskIdOfBody(body)).toBe('task-1');
});

test.each([
  ['small', '7'],
  ['one that JavaScript would round', '90071992547409931234'],
])('an id that is a number, %s, keeps its digits', (_, digits) => {
  expect(taskIdOfBody(`{"data":{"taskId":${digits}}}`)).toBe(digits);
  expect(taskIdOfBody(`{"task_id" : ${digits} }`)).toBe(digits);
});

test.each([
  ['no JSON', 'task-1'],
  ['no data', '{"code":200}'],
  ['data of nothing', '{"data":null}'],
  ['an empty id', '{"data":{"taskId":""}}'],
  ['an id with a line break', '{"data":{"taskId":"task\\n1"}}'],
  ['an endless id', JSON.stringify({ data: { taskId: 'x'.repeat(201) } })],
])('a body with %s says nothing', (_, body) => {
  expect(taskIdOfBody(body)).toBeUndefined();
});
