-- KEYS[1]: a lease. ARGV: who asks, milliseconds. Returns 1 when it is theirs, for so long from now: it was free, or theirs before.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
