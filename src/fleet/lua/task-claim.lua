-- Whose a task is: the item's that was told of it first. KEYS: items by their tasks, a hash each: of this half day, of the one before, and of
-- versions that kept all in one. ARGV: task id, item, seconds to keep it.
for index = 2, #KEYS do
  local first = redis.call('HGET', KEYS[index], ARGV[1])
  if first then return first end
end
local isFirst = redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1
redis.call('EXPIRE', KEYS[1], ARGV[3])
return isFirst and ARGV[2] or redis.call('HGET', KEYS[1], ARGV[1])
