import { expect, test } from 'vitest';
import { taskIdOfBody } from '../../src/callbacks/body.ts';

test.each([
  ['as documented', '{"code":200,"msg":"success","data":{"taskId":"task-1","info":{"originImageUrl":"https://x"}}}'],
  ['as one published sample has it', '{"code":501,"data":{"task_id":"task-1"}}'],
])('the task id is read %s', (_, body) => {
  expect(taskIdOfBody(body)).toBe('task-1');
});

test.each([
  ['no JSON', 'task-1'],
  ['no data', '{"code":200}'],
  ['data of nothing', '{"data":null}'],
  ['an empty id', '{"data":{"taskId":""}}'],
  ['an id that is a number', '{"data":{"taskId":1}}'],
  ['an id with a line break', '{"data":{"taskId":"task\\n1"}}'],
  ['an endless id', JSON.stringify({ data: { taskId: 'x'.repeat(201) } })],
])('a body with %s says nothing', (_, body) => {
  expect(taskIdOfBody(body)).toBeUndefined();
});
