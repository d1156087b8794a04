-- KEYS: the batch's hash, its items over budget. ARGV: the budget in credits, '' for none, and then for each account its name
-- and its own budget. Items over budget may have room by it.
local function set(field, budget)
  if budget == '' then redis.call('HDEL', KEYS[1], field) else redis.call('HSET', KEYS[1], field, budget) end
end
set('budget', ARGV[1])
for index = 2, #ARGV, 2 do set('budget:' .. ARGV[index], ARGV[index + 1]) end
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[1], 'room', 1) end
return 1
