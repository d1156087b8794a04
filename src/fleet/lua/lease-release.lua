-- KEYS[1]: a lease. ARGV[1]: who has it. Free for others from now on, unless it is theirs already.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
