-- KEYS: the batch's hash, its items over budget. ARGV: the budget in credits, '' for none. Items over budget may have room by it.
if ARGV[1] == '' then redis.call('HDEL', KEYS[1], 'budget') else redis.call('HSET', KEYS[1], 'budget', ARGV[1]) end
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[1], 'room', 1) end
return 1
