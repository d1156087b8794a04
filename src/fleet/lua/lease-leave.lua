-- KEYS[1]: a lease. ARGV: who has it. What another has by now is left alone.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
