-- A callback came for a task: leaves the mark for the poll that is to come at once. KEYS: the mark, what exists for some seconds after it,
-- then the item's job in each poll queue. ARGV: task id, milliseconds of either key.
-- Returns the number of the job that polls this task, from 1; 0: it was asked for a moment ago; -1: other tasks are polled; -2: none is.
local mark, guard, task = KEYS[1], KEYS[2], ARGV[1]
local answer = -2
for at = 3, #KEYS do
  local isRead, data = pcall(cjson.decode, redis.call('HGET', KEYS[at], 'data') or '')
  local polled = isRead and type(data) == 'table' and data.taskId
  if polled == task then
    if not redis.call('SET', guard, 1, 'PX', ARGV[3], 'NX') then return 0 end
    redis.call('SET', mark, task, 'PX', ARGV[2])
    return at - 2
  elseif type(polled) == 'string' then
    answer = -1
  end
end
return answer
