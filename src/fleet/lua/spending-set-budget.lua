-- KEYS: the batch's hash, its items over budget. ARGV: the budget in credits, '' for none.
if ARGV[1] == '' then redis.call('HDEL', KEYS[1], 'budget') else redis.call('HSET', KEYS[1], 'budget', ARGV[1]) end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'beyond', 0, 'beyondCredits', 0)
return 1
