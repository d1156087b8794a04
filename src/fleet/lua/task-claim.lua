-- Whose a task is: the item's that was told of it first. KEYS[1]: items by their tasks, a hash. ARGV: task id, item, seconds to keep it.
local isFirst = redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1
redis.call('EXPIRE', KEYS[1], ARGV[3])
return isFirst and ARGV[2] or redis.call('HGET', KEYS[1], ARGV[1])
